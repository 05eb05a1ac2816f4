"""Series and totals for charts. They hold no personal data, but only who may see sessions sees the realm's totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Sum

from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission
from identity.metrics import rules
from identity.metrics.models import MetricBucket
from identity.metrics.rules import Point
from identity.sessions.models import SessionApplication


@dataclass(frozen=True, slots=True)
class ApplicationUse:
    """How much one application was used in a span of time."""

    application_id: UUID
    signins: int
    failures: int
    people: int
    week: list[int]

    @property
    def success(self) -> float | None:
        """Percent of sign-ins that succeeded, or None without any."""
        return rules.success_rate(self.signins, self.failures)


def series(
    actor: Actor,
    *,
    name: str,
    since: datetime,
    until: datetime,
    step: timedelta = rules.BUCKET,
    scope_id: UUID | None = None,
) -> list[Point]:
    """One metric of the realm, or of one application in it, with a point for each step. Raises PermissionDenied."""
    if scope_id is None:
        actor.require(Permission.SESSIONS_READ)
    else:
        actor.require(Permission.APPLICATIONS_READ, ("application", scope_id))
    rows = MetricBucket.objects.filter(
        name=name, scope_id=scope_id or actor.realm_id, start__gte=rules.bucket_start(since, step), start__lt=until
    ).values_list("start", "value")
    return rules.filled(rows, since=since, until=until, step=step, gauge=name == rules.ACTIVE_SESSIONS)


def signins_series(actor: Actor, *, until: datetime, hours: int, step: timedelta) -> dict[str, list[Point]]:
    """Sign-ins that succeeded and that failed, in the last hours. Raises PermissionDenied."""
    since = until - timedelta(hours=hours)
    return {
        name: series(actor, name=name, since=since, until=until, step=step) for name in (rules.SIGNINS, rules.FAILURES)
    }


def totals(actor: Actor, *, names: Iterable[str], since: datetime, until: datetime) -> dict[str, int]:
    """How often each thing happened in the realm in [since, until). Raises PermissionDenied."""
    actor.require(Permission.SESSIONS_READ)
    wanted = list(names)
    rows = MetricBucket.objects.filter(
        name__in=wanted, scope_id=actor.realm_id, start__gte=rules.bucket_start(since), start__lt=until
    )
    found = dict(rows.values_list("name").annotate(total=Sum("value")).order_by())
    return {name: int(found.get(name) or 0) for name in wanted}


def top_applications(actor: Actor, *, since: datetime, until: datetime, limit: int = 5) -> list[ApplicationUse]:
    """The applications that were signed in to most, the busiest first. Raises PermissionDenied."""
    actor.require(Permission.APPLICATIONS_READ)
    rows = MetricBucket.objects.filter(
        name__in=[rules.SIGNINS, rules.FAILURES], start__gte=rules.bucket_start(since), start__lt=until
    ).exclude(scope_id=actor.realm_id)
    sums: dict[UUID, dict[str, int]] = {}
    for scope_id, name, total in rows.values_list("scope_id", "name").annotate(total=Sum("value")).order_by():
        sums.setdefault(scope_id, {})[name] = int(total)
    busiest = sorted(sums, key=lambda scope_id: (-sums[scope_id].get(rules.SIGNINS, 0), scope_id))[:limit]
    people = dict(
        SessionApplication.objects.filter(application_id__in=busiest, last_used_at__gte=since)
        .values_list("application_id")
        .annotate(people=Count("session__user_id", distinct=True))
        .order_by()
    )
    week = _weeks(busiest, until)
    return [
        ApplicationUse(
            scope_id,
            sums[scope_id].get(rules.SIGNINS, 0),
            sums[scope_id].get(rules.FAILURES, 0),
            people.get(scope_id, 0),
            week[scope_id],
        )
        for scope_id in busiest
    ]


def _weeks(scopes: list[UUID], until: datetime) -> dict[UUID, list[int]]:
    """Sign-ins of each of the last seven days for each application; one query."""
    day = timedelta(days=1)
    since = rules.bucket_start(until, day) - 6 * day
    values: dict[UUID, list[tuple[datetime, int]]] = {scope_id: [] for scope_id in scopes}
    rows = MetricBucket.objects.filter(name=rules.SIGNINS, scope_id__in=scopes, start__gte=since, start__lt=until)
    for scope_id, start, value in rows.values_list("scope_id", "start", "value"):
        values[scope_id].append((start, value))
    return {
        scope_id: [point.value for point in rules.filled(found, since=since, until=until, step=day)]
        for scope_id, found in values.items()
    }
