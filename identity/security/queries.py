"""Reads of alerts: the queue, one alert's evidence, and what acting on it would hit right now."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.apps import apps
from django.db.models import Count, QuerySet

from identity.access.queries import ORGANIZATION, members_of
from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.audit.queries import count_failures
from identity.audit.reading import ReadableEvent, readable
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import SealBroken, keyed_hashes, unseal
from identity.kernel.errors import NotFound
from identity.kernel.events import Severity
from identity.kernel.permissions import Permission
from identity.kernel.tenancy import realm_id_of
from identity.realms.models import Realm
from identity.security.models import Alert, AlertStatus, ReviewStatus, SignInReview
from identity.security.rules import MOST_COUNTED, MOST_REVIEWS, REVIEW_KEPT, Detector, bucketed
from identity.sessions.models import Session
from identity.sessions.queries import live

DONE = (
    "signin.succeeded",
    "factor.added",
    "factor.removed",
    "recovery_codes.generated",
    "device.trusted",
    "identity.linked",
    "identity.unlinked",
    "password.changed",
    "email.changed",
    "phone.changed",
    "phone.removed",
    "user.identifiers_changed",
    "user.profile_changed",
    "consent.granted",
    "session.ended",
)
"""What somebody who was signed in as another person may have done: the evidence of a sign-in that was denied."""

TRIED = {
    Detector.PASSWORD_GUESSING: ("signin.failed",),
    Detector.PASSWORD_SPRAYING: ("signin.failed",),
    Detector.REFRESH_REUSE: ("refresh.reused",),
    Detector.CODE_REPLAY: ("code.replayed",),
    Detector.SMS_BUDGET: ("sms.limit_reached",),
    Detector.DENIED_SIGN_IN: DONE,
}
"""Detector → the event types that are its evidence."""


REVIEW_LABEL = "sign-in-review"
"""The label of the keyed hash of a link's secret."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An alert's events, counted. Keys of `people` are ids where the person is known, else what was typed."""

    events: list[ReadableEvent]
    step: timedelta
    buckets: list[tuple[datetime, int]]
    addresses: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    devices: Counter[str] = field(default_factory=Counter)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than were counted."""
        return len(self.events) >= MOST_COUNTED


@dataclass(frozen=True, slots=True)
class Exposure:
    """What containing the person would hit at this moment, exactly (DECISIONS 27)."""

    sessions: int
    refresh_families: int
    applications: list[str]
    is_locked: bool


def find_alerts(actor: Actor, *, status: str = "", severity: str = "") -> QuerySet[Alert]:
    """Alerts, newest first. Raises PermissionDenied."""
    actor.require(Permission.ALERTS_READ)
    rows = Alert.objects.select_related("user", "application").order_by("-id")
    if status == "closed":
        rows = rows.exclude(status=AlertStatus.OPEN)
    elif status:
        rows = rows.filter(status=status)
    return rows.filter(severity=severity) if severity else rows


def open_alerts(actor: Actor, *, limit: int = 50) -> list[Alert]:
    """What waits for a decision, the gravest first, then the newest. Raises PermissionDenied."""
    rank = {str(Severity.CRITICAL): 0, str(Severity.HIGH): 1, str(Severity.MEDIUM): 2}
    rows = find_alerts(actor, status=AlertStatus.OPEN)[:500]
    return sorted(rows, key=lambda alert: (rank.get(alert.severity, 3), -alert.pk.int))[:limit]


def count_open(actor: Actor) -> dict[Severity, int]:
    """How many open alerts there are of each severity. Raises PermissionDenied."""
    rows = find_alerts(actor, status=AlertStatus.OPEN).order_by().values_list("severity").annotate(number=Count("pk"))
    return {Severity(severity): number for severity, number in rows}


def closed_among(alert_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """Those of some alerts that are closed, and how: rows of the feed show what became of theirs; one query."""
    ids = [pk for pk in alert_ids if pk is not None]
    if not ids:
        return {}
    return dict(Alert.objects.filter(pk__in=ids).exclude(status=AlertStatus.OPEN).values_list("pk", "status"))


def get_alert(actor: Actor, *, alert_id: UUID) -> Alert:
    """One alert. Raises PermissionDenied, NotFound."""
    alert = find_alerts(actor).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound
    return alert


def address_of(alert: Alert) -> str:
    """The address that an alert is about, or an empty text."""
    if alert.address_sealed is None:
        return ""
    try:
        box = unseal(
            alert.address_sealed,
            realm_id=realm_id_of(alert),
            table="identity_alert",
            pk=alert.pk,
            field="address_sealed",
        )
    except SealBroken:
        return ""
    return box.decode()


def signals_of(alert: Alert, *, since: datetime, until: UUID) -> list[AuditEvent]:
    """The events that belong to an alert's situation, newest first, at most MOST_COUNTED."""
    detector = Detector(alert.detector)
    column: dict[str, object] = {}
    if detector is Detector.PASSWORD_SPRAYING:
        column["address_hash"] = alert.address_hash
    elif detector is Detector.SMS_BUDGET:
        column["target_id"] = alert.realm_id
    elif detector is Detector.DENIED_SIGN_IN:
        column["session_id"] = alert.evidence.get("session_id")
    else:
        column["target_id"] = alert.user_id
    return count_failures(
        realm_id_of(alert), since=since, until=until, types=TRIED[detector], most=MOST_COUNTED, **column
    )


def evidence_of(actor: Actor, alert: Alert) -> Evidence:
    """The alert's events with their personal data opened, counted by time, network, person and device.

    Raises PermissionDenied. Whoever may see alerts sees this much of the trail.
    """
    actor.require(Permission.ALERTS_READ)
    since = datetime.fromisoformat(alert.evidence["first_at"])
    rows = readable(signals_of(alert, since=since, until=UUID(alert.evidence["last_id"])))
    step, buckets = bucketed([row.row.occurred_at for row in rows])
    evidence = Evidence(rows, step, buckets)
    for row in rows:
        evidence.addresses[row.ip] += 1
        evidence.people[str(row.row.target_id or row.personal.get("identifier", ""))] += 1
        evidence.devices[row.user_agent] += 1
    return evidence


def exposure_of(actor: Actor, alert: Alert) -> Exposure:
    """What containing the alert's person would hit now. Raises PermissionDenied."""
    actor.require(Permission.ALERTS_READ)
    if alert.user_id is None:
        return Exposure(0, 0, [], is_locked=False)
    sessions = list(active_sessions(realm_id_of(alert), user_id=alert.user_id).values_list("pk", flat=True))
    families = apps.get_model("identity", "RefreshFamily").objects.filter(
        user_id=alert.user_id, status="active", session_id__in=sessions
    )
    used = apps.get_model("identity", "Application").objects.filter(
        pk__in=apps.get_model("identity", "SessionApplication")
        .objects.filter(session_id__in=sessions)
        .values("application_id")
    )
    return Exposure(
        sessions=len(sessions),
        refresh_families=families.count(),
        applications=list(used.order_by("name").values_list("name", flat=True)),
        is_locked=alert.user is not None and not alert.user.is_active,
    )


def active_sessions(realm_id: UUID, *, user_id: UUID | None = None, ip: str = "") -> QuerySet[Session]:
    """Signed-in sessions that still count, of a person or from an address."""
    rows = live(Session.objects.all(), Realm.objects.get(pk=realm_id))
    rows = rows.filter(user_id=user_id) if user_id else rows.filter(user_id__isnull=False)
    return rows.filter(ip=ip) if ip else rows


def names_of(ids: list[UUID]) -> dict[UUID, str]:
    """Person → name, for evidence whose viewer may see alerts."""
    return {user.pk: user.display_name for user in User.objects.filter(pk__in=ids)}


# --- "was this you?" --------------------------------------------------------------------------------------------------


def review_of_link(realm_id: UUID, secret: str) -> SignInReview | None:
    """The sign-in that a mailed link asks about, answered or not; None for another realm's or a forged one."""
    hashes = keyed_hashes(REVIEW_LABEL, realm_id, secret)
    rows = SignInReview.objects.filter(token_hash__in=hashes).select_related("user", "session", "device")
    return rows.first()


def own_reviews(actor: Actor) -> list[SignInReview]:
    """What the person is asked about and may answer here, the newest first.

    Not in the session that is asked about, nor in one that is asked about itself: a stranger would answer for himself.
    """
    if not actor.is_person or actor.id is None or actor.home_realm_id != actor.realm_id or actor.session_id is None:
        return []
    rows = SignInReview.objects.filter(user_id=actor.id, status=ReviewStatus.OPEN, expires_at__gt=clock.now())
    found = list(rows.select_related("user", "session", "device").order_by("-id")[:MOST_REVIEWS])
    if any(review.session_id == actor.session_id for review in found):
        return []
    here = Session.objects.filter(pk=actor.session_id).values_list("device_id", flat=True).first()
    return [] if any(review.device_id is not None and review.device_id == here for review in found) else found


def review_to_answer(actor: Actor, *, realm_id: UUID, secret: str = "", review_id: UUID | None = None) -> SignInReview:
    """The sign-in that a link asks about, or one of the person's own that he may answer here. Raises NotFound."""
    if review_id is not None:
        review = next((each for each in own_reviews(actor) if each.pk == review_id), None)
    else:
        review = review_of_link(realm_id, secret)
    if review is None:
        raise NotFound
    return review


def reviews_seen_by(actor: Actor, *, user_id: UUID) -> list[SignInReview]:
    """What a person was asked about lately, for who may see his sessions. Raises PermissionDenied."""
    organizations = actor.scopes_of(Permission.SESSIONS_READ, ORGANIZATION)
    if organizations is not None and not organizations:
        actor.require(Permission.SESSIONS_READ)
    rows = SignInReview.objects.filter(user_id=user_id).select_related("session", "device").order_by("-id")
    if organizations is not None:
        rows = rows.filter(user_id__in=members_of(organizations))
    return list(rows[:MOST_REVIEWS])


def reviews_to_purge(now: datetime) -> QuerySet[SignInReview]:
    """Questions that nobody asks about any more."""
    return SignInReview.objects.filter(signed_in_at__lte=now - REVIEW_KEPT)
