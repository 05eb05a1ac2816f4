"""Charts as Plotly figures: built here, drawn in the browser, each with a summary in words and its rows as a table.

Colors are names of CSS variables, `var(--rk-accent)` or `var(--rk-accent, .1)` for a tenth of it; the browser resolves
them, so that one figure serves both themes and every realm's accent.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from plotly.subplots import make_subplots

from console.shell import dates

INK, MUTED, GRID, AXIS = "var(--rk-ink)", "var(--rk-ink-3)", "var(--rk-grid)", "var(--rk-line-strong)"
ACCENT, CRITICAL, MEDIUM = "var(--rk-accent)", "var(--rk-crit-fill)", "var(--rk-med-fill)"
SPIKE_FACTOR = 4
SPIKE_MINIMUM = 10


@dataclass(frozen=True, slots=True)
class Chart:
    """What rk/chart/signins.html needs. The first column of a row is its time, the rest are numbers."""

    id: str
    title: str | Promise
    note: str
    figure: dict[str, Any]
    summary: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def figure_json(self) -> str:
        """For an attribute: a script element, also one with JSON, is cut out of what htmx swaps in."""
        return json.dumps(self.figure, cls=DjangoJSONEncoder, separators=(",", ":"))


def signins_chart(
    times: Sequence[datetime],
    succeeded: Sequence[int],
    failed: Sequence[int],
    *,
    challenged: Sequence[int] | None = None,
    zone: str = "UTC",
    note: str = "",
) -> Chart:
    """Sign-ins over time. Failures get a small panel and an axis of their own, so that they are seen beside thousands.

    Lines are named at their ends instead of in a legend; shape differs as well as color.
    """
    local = [timezone.localtime(time, ZoneInfo(zone)) for time in times]
    x = [time.replace(tzinfo=None).isoformat() for time in local]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.09)
    figure.add_trace(
        go.Scatter(x=x, y=list(succeeded), mode="lines", name=_("Succeeded"), line={"color": ACCENT, "width": 1.75},
                   fill="tozeroy", fillcolor="var(--rk-accent, .1)",
                   hovertemplate=_("%{y} succeeded") + "<extra></extra>"),
        row=1, col=1,
    )  # fmt: skip
    small = [(_("Failed"), failed, CRITICAL, "solid", _("%{y} failed"))]
    if challenged is not None:
        small.append((_("Challenged"), challenged, MEDIUM, "dash", _("%{y} challenged")))
    for name, values, color, dash, hover in small:
        figure.add_trace(
            go.Scatter(x=x, y=list(values), mode="lines", name=name, line={"color": color, "width": 1.75, "dash": dash},
                       hovertemplate=f"{hover}<extra></extra>"),
            row=2, col=1,
        )  # fmt: skip
    days = (local[-1] - local[0]).days if local else 0
    _dress(
        figure,
        tops=(succeeded, [*failed, *(challenged or ())]),
        ticks="%H:%M" if days < 2 else pgettext("ticks of a chart", "%-d %b"),
    )
    _name_ends(figure, x, succeeded, small)
    spike = spike_of(failed)
    if spike is not None:
        _mark_spike(figure, x[spike], failed[spike], dates.clock_time(local[spike]))
    columns = (_("Time"), _("Succeeded"), _("Failed")) + ((_("Challenged"),) if challenged is not None else ())
    series = [succeeded, failed] + ([challenged] if challenged is not None else [])
    rows = [
        (dates.weekday_day_and_time(time), *values)
        for time, values in zip(local, zip(*series, strict=True), strict=True)
    ]
    return Chart(
        "signins", _("Sign-ins"), note, figure.to_plotly_json(), _summary(local, succeeded, failed), columns, rows
    )


def spike_of(values: Sequence[int]) -> int | None:
    """The index of a point that stands out: at least 10, and 4 times the median of all."""
    if len(values) < 3:
        return None
    top = max(range(len(values)), key=lambda index: values[index])
    usual = sorted(values)[len(values) // 2]
    return top if values[top] >= SPIKE_MINIMUM and values[top] >= SPIKE_FACTOR * max(usual, 1) else None


def step_of(top: int, steps: int) -> int:
    """The round distance of grid lines, so that `steps` of them reach over `top`."""
    wanted = -(-top // steps)
    size: int = 10 ** (len(str(wanted)) - 1)
    return next(size * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10) if size * factor >= wanted)


def _dress(figure: go.Figure, *, tops: tuple[Sequence[int], Sequence[int]], ticks: str) -> None:
    font = {"family": "Inter, sans-serif", "size": 11, "color": MUTED}
    figure.update_layout(
        showlegend=False, margin={"l": 34, "r": 112, "t": 8, "b": 22}, font=font, height=None, template="none",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", hovermode="x", dragmode=False,
        hoverlabel={"bgcolor": "var(--rk-raised)", "bordercolor": AXIS, "font": {**font, "color": INK}},
    )  # fmt: skip
    figure.update_xaxes(
        showgrid=False,
        zeroline=False,
        linecolor=AXIS,
        showline=True,
        ticks="",
        nticks=6,
        fixedrange=True,
        tickformat=ticks,
        # Names of days and months come from the browser (chart.ts).
        hoverformat=pgettext("moment in a chart", "%a %-d %b, %H:%M"),
    )
    figure.update_xaxes(showticklabels=False, row=1, col=1)
    for row, values in enumerate(tops, start=1):
        step = step_of(max([*values, 1]), 3 if row == 1 else 1)
        figure.update_yaxes(
            gridcolor=GRID, zeroline=False, fixedrange=True, tickformat=",d", dtick=step,
            range=[0, step * (3.05 if row == 1 else 1.1)], row=row, col=1,
        )  # fmt: skip


def _name_ends(
    figure: go.Figure,
    x: Sequence[str],
    succeeded: Sequence[int],
    small: Sequence[tuple[str, Sequence[int], Any, Any, Any]],
) -> None:
    """A name and the latest number at each line's end; two that would overlap are moved apart."""
    if not x:
        return
    common = {"xref": "paper", "x": 1.0, "xanchor": "left", "showarrow": False, "align": "left", "xshift": 8}
    name = _("Succeeded")
    text = f"<b>{name}</b><br>{number_format(succeeded[-1], force_grouping=True)}"
    figure.add_annotation(**common, yref="y", y=succeeded[-1], text=text, font={"color": INK, "size": 11})
    ends = sorted(small, key=lambda item: item[1][-1])
    for position, (name, values, *_rest) in enumerate(ends):
        label = f"<b>{name} {number_format(values[-1], force_grouping=True)}</b>"
        figure.add_annotation(
            **common,
            yref="y2 domain",
            y=0,
            yanchor="bottom",
            yshift=position * 15,
            text=label,
            font={"color": INK, "size": 11},
        )


def _mark_spike(figure: go.Figure, x: str, value: int, at: str) -> None:
    text = _("%(number)s failed at %(time)s") % {"number": number_format(value, force_grouping=True), "time": at}
    figure.add_annotation(xref="x2", yref="y2", x=x, y=value, text=f"<b>{text}</b>", showarrow=False, xanchor="right",
                          xshift=-8, font={"color": "var(--rk-crit)", "size": 11})  # fmt: skip
    figure.add_trace(
        go.Scatter(x=[x], y=[value], mode="markers", marker={"color": CRITICAL, "size": 7}, hoverinfo="skip"),
        row=2,
        col=1,
    )


def _summary(local: Sequence[datetime], succeeded: Sequence[int], failed: Sequence[int]) -> str:
    if not any(succeeded) and not any(failed):
        return _("Nobody signed in during this time.")
    top = max(range(len(succeeded)), key=lambda index: succeeded[index])
    worst = max(range(len(failed)), key=lambda index: failed[index])
    return _(
        "%(total)s sign-ins succeeded and %(bad)s failed. Most succeeded at %(when)s, %(most)s. "
        "Most failed at %(worst_when)s, %(worst)s."
    ) % {
        "total": number_format(sum(succeeded), force_grouping=True),
        "bad": number_format(sum(failed), force_grouping=True),
        "when": dates.weekday_and_time(local[top]),
        "most": number_format(succeeded[top], force_grouping=True),
        "worst_when": dates.weekday_and_time(local[worst]),
        "worst": number_format(failed[worst], force_grouping=True),
    }
