"""What happens to realms."""

from collections.abc import Mapping
from dataclasses import field

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event


@event("realm.created", target="realm", sentence=_("{actor} created the realm {name}"), severity=Severity.MEDIUM)
class RealmCreated(Event):
    """A new tenant exists."""

    slug: str = ""
    name: str = ""


@event("realm.settings_changed", target="realm", sentence=_("{actor} changed the realm’s settings"))
class RealmSettingsChanged(Event):
    """`changes` names each setting with both values."""


@event("realm.branding_changed", target="realm", sentence=_("{actor} changed the realm’s branding"))
class RealmBrandingChanged(Event):
    """Name, color or logo changed."""


@event("realm.suspended", target="realm", sentence=_("{actor} suspended the realm"), severity=Severity.HIGH)
class RealmSuspended(Event):
    """Everybody lost access at once; undone by resuming."""

    reason: str = ""


@event("realm.resumed", target="realm", sentence=_("{actor} resumed the realm"), severity=Severity.MEDIUM)
class RealmResumed(Event):
    """A suspended realm, or one that waited for its purge, is back."""


@event(
    "realm.deletion_scheduled",
    target="realm",
    sentence=_("{actor} deleted the realm; it can be brought back until {purge_after}"),
    severity=Severity.CRITICAL,
)
class RealmDeletionScheduled(Event):
    """Suspended at once, purged after 30 days (DECISIONS 29)."""

    purge_after: str = ""


@event(
    "provider.created", target="provider", sentence=_("{actor} added the provider {target}"), severity=Severity.MEDIUM
)
class ProviderCreated(Event):
    """People can come in through somebody else."""

    kind: str = ""
    alias: str = ""


@event("provider.changed", target="provider", sentence=_("{actor} changed the provider {target}"))
class ProviderChanged(Event):
    """`changes` names what differs; secrets are never among it."""

    alias: str = ""


@event(
    "provider.secret_changed",
    target="provider",
    sentence=_("{actor} changed the secret of the provider {target}"),
    severity=Severity.MEDIUM,
)
class ProviderSecretChanged(Event):
    """We prove ourselves to it with another secret."""

    alias: str = ""


@event("provider.enabled", target="provider", sentence=_("{actor} enabled the provider {target}"))
class ProviderEnabled(Event):
    """Its people can come in again."""

    alias: str = ""


@event(
    "provider.disabled",
    target="provider",
    sentence=_("{actor} disabled the provider {target}"),
    severity=Severity.MEDIUM,
)
class ProviderDisabled(Event):
    """Nobody comes in through it; links stay."""

    alias: str = ""


@event("provider.reordered", target="realm", sentence=_("{actor} changed the order of providers"))
class ProvidersReordered(Event):
    """The buttons on the sign-in page stand in another order."""


@event(
    "provider.deleted",
    target="provider",
    sentence=_("{actor} deleted the provider {target} and {links} links to it"),
    severity=Severity.HIGH,
)
class ProviderDeleted(Event):
    """Nobody comes in through it any more, and nobody is linked with it."""

    alias: str = ""
    kind: str = ""
    links: int = 0


@event(
    "realm.purged",
    target="realm",
    sentence=_("The realm was emptied for good; its slug and its audit trail stay"),
    severity=Severity.CRITICAL,
)
class RealmPurged(Event):
    """All it held is gone, with the keys that the personal data in its trail was sealed under (DECISIONS 29)."""

    slug: str = ""


@event("data.purged", target="realm", sentence=_("{count} expired rows were deleted"), severity=Severity.OK, feed=False)
class DataPurged(Event):
    """What nothing needs any more. `counts`: kind → how many."""

    count: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
