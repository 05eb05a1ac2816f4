"""Key figures of a span of time, each with its line, its change and what it is compared with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.charts import Chart, signins_chart
from console.shell import dates
from identity.applications.queries import find_applications
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.metrics import queries, rules
from identity.realms.models import Realm
from identity.sessions.queries import count_live_sessions


@dataclass(frozen=True, slots=True)
class Span:
    """A range that can be chosen: how long it is, in which steps it is drawn, and what came before it is called."""

    name: str
    label: str | Promise
    note: str | Promise
    base: str | Promise
    hours: int
    step: timedelta


SPANS = (
    Span(
        name="day",
        label=gettext_lazy("24 hours"),
        note=gettext_lazy("per half hour, last 24 hours"),
        base=gettext_lazy("vs the day before"),
        hours=24,
        step=timedelta(minutes=30),
    ),
    Span(
        name="week",
        label=gettext_lazy("7 days"),
        note=gettext_lazy("per 3 hours, last 7 days"),
        base=gettext_lazy("vs the week before"),
        hours=7 * 24,
        step=timedelta(hours=3),
    ),
    Span(
        name="month",
        label=gettext_lazy("30 days"),
        note=gettext_lazy("per day, last 30 days"),
        base=gettext_lazy("vs the 30 days before"),
        hours=30 * 24,
        step=timedelta(days=1),
    ),
)


def span_named(name: str) -> Span:
    """The span of that name, or the last 24 hours."""
    return next((span for span in SPANS if span.name == name), SPANS[0])


def end_of(span: Span, now: datetime) -> datetime:
    """The end of the bucket that is being filled: the last point is the present, incomplete one."""
    return rules.bucket_start(now, span.step) + span.step


def _shown(number: int) -> str:
    return number_format(number, force_grouping=True)


def _counted(
    label: str, now: int, before: int, values: list[int], base: str, *, more_is_good: bool | None = True
) -> dict[str, Any]:
    change = rules.change_percent(now, before)
    mood = ""
    if change and more_is_good is not None:
        mood = "good" if (change > 0) is more_is_good else "bad"
    return {
        "label": label,
        "value": _shown(now),
        "values": values,
        "change": change,
        "text": dates.percent(abs(change)) if change is not None else "",
        "base": base if change is not None else (_("nothing before") if now else _("none yet")),
        "mood": mood,
    }


def key_figures(actor: Actor, span: Span) -> list[dict[str, Any]]:
    """Sign-ins, success rate, active sessions, new people, tokens. Raises PermissionDenied."""
    until = end_of(span, clock.now())
    since, earlier = until - timedelta(hours=span.hours), until - timedelta(hours=2 * span.hours)
    names = (rules.SIGNINS, rules.FAILURES, rules.NEW_PEOPLE, rules.TOKENS)
    now = queries.totals(actor, names=names, since=since, until=until)
    before = queries.totals(actor, names=names, since=earlier, until=since)
    lines = {
        name: [
            point.value for point in queries.series(actor, name=name, since=since, until=until, step=_line_step(span))
        ]
        for name in (*names, rules.ACTIVE_SESSIONS)
    }
    base = str(span.base)
    return [
        _counted(_("Sign-ins"), now[rules.SIGNINS], before[rules.SIGNINS], lines[rules.SIGNINS], base),
        _success(now, before, lines, base),
        _sessions(actor, lines[rules.ACTIVE_SESSIONS], span),
        _counted(_("New people"), now[rules.NEW_PEOPLE], before[rules.NEW_PEOPLE], lines[rules.NEW_PEOPLE], base),
        _counted(
            _("Tokens issued"), now[rules.TOKENS], before[rules.TOKENS], lines[rules.TOKENS], base, more_is_good=None
        ),
    ]


def _line_step(span: Span) -> timedelta:
    """Lines are small: some twenty points say as much as fifty."""
    return {"day": timedelta(hours=1), "week": timedelta(hours=6)}.get(span.name, timedelta(days=1))


def _success(now: dict[str, int], before: dict[str, int], lines: dict[str, list[int]], base: str) -> dict[str, Any]:
    rate = rules.success_rate(now[rules.SIGNINS], now[rules.FAILURES])
    former = rules.success_rate(before[rules.SIGNINS], before[rules.FAILURES])
    change = round(rate - former, 1) if rate is not None and former is not None else None
    values: list[float] = []
    for good, bad in zip(lines[rules.SIGNINS], lines[rules.FAILURES], strict=True):
        # A step without sign-ins has no rate: the line goes on from the last one that had.
        at = rules.success_rate(good, bad)
        if at is not None or values:
            values.append(values[-1] if at is None else at)
    return {
        "label": _("Success rate"),
        "value": _("no sign-ins") if rate is None else dates.percent(rate),
        "values": values,
        "change": change,
        "text": _("%(n)s pt") % {"n": number_format(abs(change), 1)} if change is not None else "",
        "base": base if change is not None else (_("none yet") if rate is None else _("nothing before")),
        "mood": "" if not change else "good" if change > 0 else "bad",
    }


def _sessions(actor: Actor, values: list[int], span: Span) -> dict[str, Any]:
    """A state and no sum: now, against what was measured where the line begins, once it is as long as the span."""
    present = count_live_sessions(actor)
    is_whole = len(values) >= timedelta(hours=span.hours) // _line_step(span)
    figure = _counted(
        _("Active sessions"),
        present,
        values[0] if is_whole else 0,
        [*values[:-1], present],
        str(span.base),
        more_is_good=None,
    )
    return figure if is_whole else {**figure, "base": _("right now")}


def signins(actor: Actor, realm: Realm, span: Span) -> Chart:
    """The chart. Raises PermissionDenied."""
    until = end_of(span, clock.now())
    series = queries.signins_series(actor, until=until, hours=span.hours, step=span.step)
    return signins_chart(
        [point.start for point in series[rules.SIGNINS]],
        [point.value for point in series[rules.SIGNINS]],
        [point.value for point in series[rules.FAILURES]],
        zone=str(realm.setting("time_zone")),
        note=str(span.note),
    )


def top_applications(actor: Actor, span: Span) -> list[dict[str, Any]]:
    """Rows of rk/overview/top_apps.html. Raises PermissionDenied."""
    until = end_of(span, clock.now())
    used = queries.top_applications(actor, since=until - timedelta(hours=span.hours), until=until)
    named = {row.pk: row for row in find_applications(actor).filter(pk__in=[use.application_id for use in used])}
    return [
        {
            "name": named[use.application_id].name,
            "url": _page(use.application_id),
            "signins": use.signins,
            "success": use.success,
            "people": use.people,
            "week": use.week,
        }
        for use in used
        if use.application_id in named
    ]


def _page(application_id: Any) -> str:
    try:
        return reverse("console:application", args=[public_id("application", application_id)])
    except NoReverseMatch:
        return ""
