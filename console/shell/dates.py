"""Days, times and shares of a hundred as the page's language writes them.

Their patterns are messages: languages differ in order, dots and spaces. Letters as in Django's `date` filter.
"""

from datetime import date, datetime

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext


def day(when: date) -> str:
    """20 Nov 2026."""
    return date_format(when, pgettext("date", "j M Y"))


def long_day(when: date) -> str:
    """20 November 2026."""
    return date_format(when, pgettext("date", "j F Y"))


def day_of_year(when: date) -> str:
    """20 Nov."""
    return date_format(when, pgettext("date", "j M"))


def long_day_of_year(when: date) -> str:
    """20 November."""
    return date_format(when, pgettext("date", "j F"))


def clock_time(when: datetime) -> str:
    """10:42."""
    return date_format(when, pgettext("date", "H:i"))


def clock_seconds(when: datetime) -> str:
    """10:42:07."""
    return date_format(when, pgettext("date", "H:i:s"))


def day_and_time(when: datetime) -> str:
    """20 Nov, 10:42."""
    return date_format(when, pgettext("date", "j M, H:i"))


def weekday_and_time(when: datetime) -> str:
    """Fri 10:42."""
    return date_format(when, pgettext("date", "D H:i"))


def weekday_day_and_time(when: datetime) -> str:
    """Fri 20 Nov, 10:42."""
    return date_format(when, pgettext("date", "D j M, H:i"))


def exact(when: datetime) -> str:
    """20 Nov 2026, 10:42:07 CET."""
    shown = date_format(when, pgettext("date", "j M Y, H:i:s"))
    return f"{shown} {when.tzname()}"


def long_exact(when: datetime) -> str:
    """20 November 2026, 10:42 CET."""
    shown = date_format(when, pgettext("date", "j F Y, H:i"))
    return f"{shown} {when.tzname()}"


def passed(seconds: float) -> str:
    """How long ago, or in how long, in the biggest unit that fits: "8 s ago", "in 6 days"."""
    past, seconds = seconds >= 0, abs(seconds)
    if seconds < 60:
        n = int(seconds)
        text = _("%(n)s s ago") if past else _("in %(n)s s")
    elif seconds < 3600:
        n = int(seconds // 60)
        text = _("%(n)s min ago") if past else _("in %(n)s min")
    elif seconds < 86400:
        n = int(seconds // 3600)
        text = _("%(n)s h ago") if past else _("in %(n)s h")
    else:
        n = int(seconds // 86400)
        text = ngettext("%(n)s day ago", "%(n)s days ago", n) if past else ngettext("in %(n)s day", "in %(n)s days", n)
    return text % {"n": n}


def percent(number: float, digits: int = 1) -> str:
    """6.2%."""
    return _("%(n)s%%") % {"n": number_format(number, digits)}
