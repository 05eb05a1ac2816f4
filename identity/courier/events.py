"""What happens to messages. What they say, and codes and links above all, is in no event (DECISIONS 21)."""

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event, personal


@event(
    "message.failed",
    target="message",
    sentence=_("A message ({template}) could not be delivered: {reason}"),
    severity=Severity.MEDIUM,
    outcome=Outcome.FAILURE,
)
class MessageFailed(Event):
    """Given up after the last try, or refused for good by the receiving side."""

    template: str = ""
    channel: str = ""
    reason: str = ""
    attempts: int = 0


@event(
    "sms.limit_reached",
    target="realm",
    sentence=_("Text messages are held back for today: {scope}"),
    severity=Severity.MEDIUM,
    outcome=Outcome.DENIED,
)
class SmsLimitReached(Event):
    """A budget of the day has no room, said once a day for each. Whoever asked was told nothing (LG-13, LG-23).

    scope: number, prefix, realm, address, everywhere (one number, all realms), platform, or blocked.
    """

    words = {
        "address": _("One address asked for too many"),
        "blocked": _("A number in a blocked range"),
        "everywhere": _("One number was asked for in many realms"),
        "number": _("One number had as many as it gets"),
        "platform": _("The installation’s budget is used up"),
        "prefix": _("The budget of one range of numbers is used up"),
        "realm": _("The realm’s budget is used up"),
    }
    scope: str = ""
    prefix: str = ""
    limit: int = 0
    address: str = personal()


@event("sms_provider.created", target="sms_provider", sentence=_("{actor} added {target} for text messages"))
class SmsProviderCreated(Event):
    """Another way out for short messages."""

    kind: str = ""


@event("sms_provider.changed", target="sms_provider", sentence=_("{actor} changed {target} for text messages"))
class SmsProviderChanged(Event):
    """`fields` names what changed in settings and secrets, never the values: a key may have been typed among them."""

    fields: tuple[str, ...] = ()


@event(
    "sms_provider.deleted",
    target="sms_provider",
    sentence=_("{actor} deleted {target} for text messages"),
    severity=Severity.MEDIUM,
)
class SmsProviderDeleted(Event):
    """`left`: how many enabled ones there still are."""

    kind: str = ""
    left: int = 0


@event("sms_provider.reordered", target="realm", sentence=_("{actor} changed the order of providers for text messages"))
class SmsProvidersReordered(Event):
    """Which one is tried first."""


@event("sms_provider.tested", target="sms_provider", sentence=_("{actor} sent a test message by {target}: {result}"))
class SmsProviderTested(Event):
    """`result`: sent, or the word of the log for why not."""

    words = {"sent": _("sent")}
    result: str = ""
