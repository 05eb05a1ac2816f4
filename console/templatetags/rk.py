"""The atoms of the design as template tags: `{% load rk %}`. frontend/README.md shows each in use."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.shell import dates, palette
from console.shell.fragments import page_title
from console.shell.navigation import Navigation, navigation_for
from console.shell.theme import accent_of_request, chosen_theme
from identity.kernel import clock
from identity.kernel.permissions import Permission
from identity.realms.models import PLATFORM_SLUG

register = template.Library()

ICONS: dict[str, str] = json.loads((Path(__file__).parent.parent / "shell" / "icons.json").read_text())

SEVERITIES = {
    "critical": ("crit", "dangerous", gettext_lazy("Critical")),
    "high": ("high", "warning", gettext_lazy("High")),
    "medium": ("med", "error", gettext_lazy("Medium")),
    "low": ("low", "info", gettext_lazy("Low")),
    "ok": ("ok", "check_circle", gettext_lazy("OK")),
}
LEVEL_ICONS = {"crit": "dangerous", "high": "warning", "med": "error", "low": "info", "ok": "check_circle"}
DELTA_LEVELS = {"good": "t-ok", "bad": "t-high"}


@register.simple_tag
def icon(name: str, size: int = 18, level: str = "") -> SafeString:
    """{% icon "shield" 16 "crit" %}: a Material Symbol, inlined. Sizes 14, 16, 18, 20, 24. Hidden from readers."""
    try:
        shape = ICONS[name]
    except KeyError:
        raise template.TemplateSyntaxError(f"No icon {name!r}: add it to frontend/icons.txt and run bin/assets.")
    classes = "rk-i" + ("" if size == 18 else f" s{size}") + (f" t-{level}" if level else "")
    return format_html(
        '<svg class="{}" viewBox="0 -960 960 960" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        classes,
        shape,
    )


@register.simple_tag
def severity(value: str, text: str = "", size: int = 16) -> SafeString:
    """{% severity "critical" %}: icon and word, never color alone. `text` replaces the word ("Due in 6 days")."""
    level, symbol, word = SEVERITIES[str(value)]
    return format_html('<span class="sev {}">{}{}</span>', level, icon(symbol, size), text or word)


@register.simple_tag
def severity_icon(value: str, size: int = 18, fallback: str = "") -> SafeString:
    """Only the icon, for feeds: low and ok show `fallback` (what happened) instead of a severity."""
    level, symbol, _word = SEVERITIES[str(value)]
    if level in ("low", "ok") and fallback:
        return icon(fallback, size)
    return icon(symbol, size, level)


@register.simple_tag
def severity_word(value: str) -> SafeString:
    """Only the word, where the row's icon already shows it."""
    level, _symbol, word = SEVERITIES[str(value)]
    return format_html('<span class="sev {}">{}</span>', level, word)


@register.simple_tag
def state(text: str, level: str = "ok", symbol: str = "") -> SafeString:
    """{% state "Active" "ok" %}: a status in a table cell: icon and word. level: crit, high, med, low, ok."""
    return format_html('<span class="sev {} state">{}{}</span>', level, icon(symbol or LEVEL_ICONS[level], 14), text)


@register.simple_tag
def pill(text: str, level: str = "", symbol: str = "") -> SafeString:
    """{% pill "Active" "ok" %}: a status beside a heading. Without a level it is a quiet label."""
    symbol = symbol or LEVEL_ICONS.get(level, "")
    return format_html('<span class="pill {}">{}{}</span>', level or "plain", icon(symbol, 14) if symbol else "", text)


@register.simple_tag
def avatar(name: str, size: str = "", square: bool = False) -> SafeString:
    """{% avatar user.name "sm" %}: initials; square for applications. Sizes "", "sm", "lg"."""
    classes = " ".join(part for part in ("ava", size, "sq" if square else "") if part)
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, initials(name))


def initials(name: str) -> str:
    """Two letters at most: of the first and the last word, or of a single word its first two."""
    words = [word for word in str(name or "").replace("@", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


@register.simple_tag
def copy_button(value: str, label: str, text: str = "") -> SafeString:
    """{% copy_button secret "client secret" %}: copies without showing. `text` makes it a button with words."""
    if text:
        return format_html(
            '<button type="button" class="btn sm ghost" data-copy="{}">{}<span>{}</span></button>',
            value, icon("content_copy", 14), text,
        )  # fmt: skip
    return format_html(
        '<button type="button" class="ib sm" data-copy="{}" aria-label="{}" title="{}">{}</button>',
        value, _("Copy %(what)s") % {"what": label}, _("Copy"), icon("content_copy", 14),
    )  # fmt: skip


@register.simple_tag
def copy_id(value: str, label: str, shown: str = "") -> SafeString:
    """{% copy_id application.client_id "client ID" %}: mono text and a copy button."""
    return format_html(
        '<span class="cpy"><span class="mono trunc">{}</span>{}</span>', shown or value, copy_button(value, label)
    )


@register.simple_tag
def kbd(keys: str) -> SafeString:
    """{% kbd "Ctrl K" %}: a shortcut, hidden from readers, who get it by aria-keyshortcuts on the control."""
    return format_html('<kbd aria-hidden="true">{}</kbd>', keys)


@register.simple_tag(takes_context=True)
def relative_time(
    context: RequestContext, moment: datetime | None, style: str = "relative", empty: str = ""
) -> SafeString:
    """{% relative_time session.last_seen_at %}: "8 s ago", exact time and zone in the title.

    style: "relative" (scripts keep it current), "clock" (today its time, before that its date), "date", "exact".
    """
    if moment is None:
        return format_html('<span class="meta">{}</span>', empty or _("never"))
    local = timezone.localtime(moment, _zone(context))
    exact = dates.exact(local)
    match style:
        case "clock":
            today = timezone.localtime(clock.now(), _zone(context)).date()
            shown = dates.clock_seconds(local) if local.date() == today else dates.day_and_time(local)
        case "date":
            shown = dates.day(local)
        case "exact":
            shown = exact
        case _:
            shown = ago(moment)
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        local.isoformat(timespec="milliseconds"), exact,
        SafeString(" data-relative") if style == "relative" else "", shown,
    )  # fmt: skip


def ago(moment: datetime) -> str:
    """How long ago, or in how long, in the biggest unit that fits."""
    return dates.passed((clock.now() - moment).total_seconds())


@register.filter
def duration(seconds: int | None) -> str:
    """900 → 15 min, 2592000 → 30 days: the biggest unit that divides it."""
    if seconds is None:
        return ""
    if seconds >= 86400 and seconds % 86400 == 0:
        days = seconds // 86400
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    if seconds >= 3600 and seconds % 3600 == 0:
        hours = seconds // 3600
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    if seconds >= 60 and seconds % 60 == 0:
        return _("%(n)s min") % {"n": seconds // 60}
    return _("%(n)s s") % {"n": seconds}


@register.filter
def grouped(number: float | str | None) -> str:
    """1234567 → 1,234,567 in the page's language. A word in place of a number ("all") stays a word."""
    if number is None:
        return ""
    return number_format(number, force_grouping=True) if isinstance(number, int | float) else str(number)


@register.filter
def percent(number: float) -> str:
    """6.2 → 6.2% in the page's language."""
    return dates.percent(number)


@register.simple_tag
def spark(values: Sequence[float], width: int = 72, height: int = 26, label: str = "") -> SafeString:
    """{% spark app.week %}: a line without axes; decoration unless `label` says what it shows."""
    numbers = [float(value) for value in values]
    if len(numbers) < 2:
        return SafeString("")
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1
    step = (width - 4) / (len(numbers) - 1)
    points = [(1 + i * step, height - 3 - (n - low) / span * (height - 6)) for i, n in enumerate(numbers)]
    line = format_html_join(" ", "{},{}", ((f"{x:.1f}", f"{y:.1f}") for x, y in points))
    last_x, last_y = points[-1]
    return format_html(
        '<svg class="spark" width="{w}" height="{h}" viewBox="0 0 {w} {h}" {role}>'
        '<polygon class="area" points="1,{h} {line} {x},{h}"/><polyline class="line" points="{line}"/>'
        '<circle cx="{x}" cy="{y}" r="2.25"/></svg>',
        w=width, h=height, line=line, x=f"{last_x:.1f}", y=f"{last_y:.1f}",
        role=format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"'),
    )  # fmt: skip


@register.simple_tag
def meter(value: float, of: float = 100, level: str = "") -> SafeString:
    """{% meter 38 100 "crit" %}: a bar; the number stands beside it as text, so it is decoration."""
    share = 0 if not of else max(0.0, min(100.0, 100 * float(value) / float(of)))
    return format_html(
        '<span class="bar" aria-hidden="true"><i class="{}" style="width:{}%"></i></span>', level, f"{share:.0f}"
    )


@register.simple_tag
def delta(change: float | None, text: str, base: str = "", mood: str = "") -> SafeString:
    """{% delta 6.2 "6.2%" "vs last Friday" "good" %}: arrow, amount and what it is compared with."""
    if change is None:
        return format_html("<span>{}</span>", base)
    arrow = icon("arrow_upward" if change > 0 else "arrow_downward", 14) if change else ""
    return format_html('<b class="delta {}">{}{}</b> {}', DELTA_LEVELS.get(mood, ""), arrow, text, base)


@register.simple_tag(takes_context=True)
def may(context: RequestContext, permission: str, *scopes: Any) -> bool:
    """{% may "users:write" as can_write %}: the question that the command will ask, so that buttons agree."""
    actor = context["request"].actor
    wanted = Permission(permission)
    return actor.can(wanted, *scopes) if scopes else actor.can(wanted)


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> Navigation:
    """The sidebar, computed once for a page."""
    request = context["request"]
    if not hasattr(request, "_rk_navigation"):
        request._rk_navigation = navigation_for(request)
    return request._rk_navigation


@register.simple_tag(takes_context=True)
def document_title(context: RequestContext, title: str) -> str:
    """Page, realm, product."""
    return page_title(context["request"], str(title).strip())


@register.simple_tag(takes_context=True)
def theme(context: RequestContext) -> str:
    """light, dark or system."""
    return chosen_theme(context["request"])


@register.simple_tag(takes_context=True)
def theme_version(context: RequestContext) -> str:
    """Changes when the realm's color does, so that a page never shows yesterday's."""
    return accent_of_request(context["request"]).strip("#")


@register.simple_tag(takes_context=True)
def realm_clock(context: RequestContext) -> SafeString:
    """The time in the realm's zone."""
    zone = _zone(context)
    local = timezone.localtime(clock.now(), zone)
    return format_html(
        '<time class="meta desk num" data-clock="{}" data-zone="{}" title="{}">{} {}</time>',
        str(zone), local.tzname(), _("Time in this realm’s time zone, %(zone)s") % {"zone": zone},
        dates.weekday_day_and_time(local), local.tzname(),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def toasts(context: RequestContext) -> list[Any]:
    """Messages left by the request before, read once."""
    request: HttpRequest = context["request"]
    return list(get_messages(request))


@register.filter
def mark(text: str, term: str) -> SafeString:
    """Marks the searched term."""
    return palette.mark(text, term)


@register.simple_tag
def platform_console_url() -> str:
    """The operators' own console, outside the mount of the realm that is visited."""
    return f"/realms/{PLATFORM_SLUG}/console/"


def _zone(context: RequestContext) -> ZoneInfo:
    realm = getattr(context.get("request"), "realm", None)
    name = realm.setting("time_zone") if realm is not None else "UTC"
    return ZoneInfo(name)
