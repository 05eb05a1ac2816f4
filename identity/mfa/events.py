"""What happens to factors. Names of devices and hints of numbers are personal; codes and secrets are nowhere."""

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event, personal

KINDS = {
    "totp": _("an authenticator app"),
    "passkey": _("a passkey"),
    "recovery_codes": _("a recovery code"),
    "sms": _("text message codes"),
    "email": _("email codes"),
    "code_reused": _("The code had been used"),
    "counter_rollback": _("The key’s counter went back: it may be a copy"),
    "too_many_tries": _("Too many tries"),
    "wrong_code": _("Wrong code"),
}


@event("factor.added", target="user", sentence=_("{target} added {kind}"), severity=Severity.MEDIUM)
class FactorAdded(Event):
    """A person has one more way to confirm who he is. `first`: the first second factor."""

    words = KINDS
    kind: str = ""
    first: bool = False
    name: str = personal()


@event("factor.renamed", target="user", sentence=_("{target} renamed {kind}"))
class FactorRenamed(Event):
    """A passkey has another name."""

    words = KINDS
    kind: str = ""
    name: str = personal()


@event("factor.removed", target="user", sentence=_("{actor} removed {kind} of {target}"), severity=Severity.MEDIUM)
class FactorRemoved(Event):
    """A factor is gone; sessions that it had confirmed count as one step from now on. `last`: none is left."""

    words = KINDS
    kind: str = ""
    last: bool = False
    name: str = personal()


@event("factor.reset", target="user", sentence=_("{actor} reset the second step of {target}"), severity=Severity.HIGH)
class FactorReset(Event):
    """An admin removed every factor of a person, who was told. The reason is the admin's own words."""

    kinds: tuple[str, ...] = ()
    sessions_ended: int = 0
    reason: str = personal()


@event("factor.used", target="user", sentence=_("{target} confirmed with {kind}"), feed=False)
class FactorUsed(Event):
    """A factor was shown, at sign-in or before something important."""

    words = KINDS
    kind: str = ""


@event(
    "factor.refused",
    target="user",
    sentence=_("{reason}: {kind} of {target}"),
    outcome=Outcome.FAILURE,
)
class FactorRefused(Event):
    """A factor was tried in vain. reason: wrong_code, code_reused, too_many_tries (once a pause), counter_rollback."""

    words = KINDS
    kind: str = ""
    reason: str = ""


@event(
    "recovery_codes.generated",
    target="user",
    sentence=_("{target} made new recovery codes"),
    severity=Severity.MEDIUM,
)
class RecoveryCodesGenerated(Event):
    """Earlier codes stopped working."""

    count: int = 0


@event("factor.code_sent", target="user", sentence=_("A code to confirm went to {target}"), feed=False)
class FactorCodeSent(Event):
    """A message with a code was queued. Neither is in the event."""

    kind: str = ""


@event("device.trusted", target="user", sentence=_("{target} trusts a browser"), severity=Severity.MEDIUM)
class DeviceTrusted(Event):
    """A browser stands for the second step for a while."""

    days: int = 0
    device: str = personal()


@event("device.untrusted", target="user", sentence=_("{actor} took the trust from browsers of {target}"))
class DeviceUntrusted(Event):
    """The second step is asked there again. reason: by_person, by_admin, factors_changed, password_changed,
    sign_in_denied.
    """

    count: int = 0
    reason: str = ""
