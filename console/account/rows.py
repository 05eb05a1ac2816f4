"""What the lists of the account pages show: devices, connected applications and what they get."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from console.devices import Device, device_of
from console.shell import dates
from identity.applications.models import Application
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.ids import public_id
from identity.kernel.places import country_name
from identity.security.models import SignInReview
from identity.sessions.models import Device as SeenDevice
from identity.sessions.models import DeviceStatus, Session, SessionApplication

NEW_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A signed-in device: one session."""

    id: str
    what: Device
    current: bool
    new: bool
    signed_in_at: datetime
    last_seen_at: datetime
    ip: str
    place: str
    how: str
    applications: tuple[str, ...]
    review_id: UUID | None = None
    """The question "was this you?" that can be answered here."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that the person signed in on, whether he is signed in there now or not."""

    id: UUID
    what: Device
    current: bool
    place: str
    first_seen_at: datetime
    last_seen_at: datetime
    trusted_until: datetime | None
    sessions: int
    new: bool
    """Nobody has said yet whose it is."""


@dataclass(frozen=True, slots=True)
class Day:
    """Devices that were last active today, or earlier."""

    name: str
    devices: list[DeviceRow]


def device_rows(
    sessions: Iterable[Session],
    *,
    current_id: UUID | None,
    used_by: Mapping[UUID, Sequence[SessionApplication]],
    reviews: Iterable[SignInReview] = (),
) -> list[DeviceRow]:
    """One row a session: this one first, then new devices, then the one used last.

    New is what the person is asked about, and what signed in within three days and looks like none that was signed in
    before it. used_by: session → the applications that were opened on it. reviews: what he may answer here.
    """
    listed = sorted(sessions, key=_signed_in)
    asked = {review.device_id: review.pk for review in reviews if review.device_id is not None}
    seen: set[str] = set()
    rows = []
    for position, session in enumerate(listed):
        what = device_of(session.user_agent)
        known = position == 0 or session.pk == current_id or str(what) in seen
        seen.add(str(what))
        rows.append(
            DeviceRow(
                id=public_id("session", session.pk),
                what=what,
                current=session.pk == current_id,
                new=session.device_id in asked or (not known and _signed_in(session) > clock.now() - NEW_FOR),
                signed_in_at=_signed_in(session),
                last_seen_at=session.last_seen_at,
                ip=session.ip or "",
                place=country_name(session.country),
                how=_how(session.amr),
                applications=tuple(use.application.name for use in used_by.get(session.pk, ())),
                review_id=asked.get(session.device_id) if session.device_id is not None else None,
            )
        )
    return sorted(rows, key=lambda row: (row.current, row.new, row.last_seen_at), reverse=True)


def known_devices(
    devices: Iterable[SeenDevice], sessions: Sequence[Session], *, current_id: UUID | None
) -> list[KnownDevice]:
    """One row a device: this one first, then the one used last."""
    open_on = Counter(session.device_id for session in sessions)
    here = next((session.device_id for session in sessions if session.pk == current_id), None)
    rows = [
        KnownDevice(
            id=device.pk,
            what=device_of(device.label),
            current=device.pk == here,
            place=country_name(device.country),
            first_seen_at=device.first_seen_at,
            last_seen_at=device.last_seen_at,
            trusted_until=device.trusted_until if (device.trusted_until or clock.now()) > clock.now() else None,
            sessions=open_on[device.pk],
            new=device.status == DeviceStatus.NEW,
        )
        for device in devices
    ]
    return sorted(rows, key=lambda row: (row.current, row.last_seen_at), reverse=True)


def by_day(rows: Sequence[DeviceRow]) -> list[Day]:
    """Today's and earlier ones; a heading without devices is left out."""
    today = timezone.localtime(clock.now()).date()
    recent = [row for row in rows if row.current or timezone.localtime(row.last_seen_at).date() == today]
    earlier = [row for row in rows if row not in recent]
    return [day for day in (Day(_("Today"), recent), Day(_("Earlier"), earlier)) if day.devices]


def _signed_in(session: Session) -> datetime:
    return session.authenticated_at or session.created_at


def _how(methods: Sequence[str]) -> str:
    """RFC 8176 method references in words; what this version does not know is not guessed."""
    if "hwk" in methods or "swk" in methods:
        return _("with your password and a passkey") if "pwd" in methods else _("with a passkey")
    if "mfa" in methods and "pwd" in methods:
        return _("with your password and a second step")
    return _("with your password") if "pwd" in methods else ""


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """A connected application: one consent in force."""

    id: str
    name: str
    publisher: str
    first_party: bool
    uri_host: str
    shares: str
    lasts: str
    last_used_at: datetime | None
    granted_at: datetime


def application_row(consent: Consent, titles: dict[str, str]) -> ApplicationRow:
    """The row of one consent. titles: scope → what it is called."""
    application: Application = consent.application
    shared = [titles.get(name, name) for name in consent.scopes if name not in ("openid", "offline_access")]
    return ApplicationRow(
        id=public_id("consent", consent.pk),
        name=application.name or application.client_id,
        publisher=application.publisher,
        first_party=application.first_party,
        uri_host=urlsplit(application.homepage_uri).hostname or "",
        shares=" · ".join(shared) or _("Only that it is you"),
        lasts=lasts(consent),
        last_used_at=application.last_used_at,
        granted_at=consent.granted_at,
    )


def lasts(consent: Consent) -> str:
    """How long the application may work without asking again."""
    if not consent.offline:
        return _("Only while you’re signed in")
    if consent.offline_until is None:
        return _("Until you stop it")
    return _("Until %(day)s") % {"day": dates.long_day(timezone.localtime(consent.offline_until))}
