"""Template tags of sign-in, consent and account pages: `{% load selfservice %}`. Icons come from `{% load rk %}`."""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from console.devices import device_of
from console.shell import dates
from console.shell.colors import accent_of
from console.templatetags import rk
from identity.accounts.password_rules import classes_sentence
from identity.accounts.queries import policy_in_force
from identity.kernel import clock
from identity.kernel.agents import agent_of
from identity.kernel.places import country_name

register = template.Library()

HUES = 8


@register.inclusion_tag("account/_field.html")
def field(
    bound: BoundField, label: str = "", hint: str | None = None, optional: bool = False, **attributes: Any
) -> dict[str, Any]:
    """{% field form.login autocomplete="username" inputmode="email" %}: label, control, errors and hint.

    `hint` replaces the field's help text ("" drops it). Underscores of `attributes` become dashes, False takes an
    attribute away. Placeholders are never kept: they vanish when they are needed, and readers may not say them.
    """
    kind = getattr(bound.field.widget, "input_type", "")
    if hint is not None:
        bound.help_text = hint
    attrs: dict[str, Any] = {name.replace("_", "-"): value for name, value in attributes.items()}
    attrs["placeholder"] = False
    if kind != "checkbox":
        attrs["class"] = "in"
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "label": label or bound.label,
        "hint": bound.help_text,
        "optional": _("optional") if optional and not bound.field.required else "",
        "secret": kind == "password",
        "checkbox": kind == "checkbox",
    }


@register.filter
def initials(name: object) -> str:
    """DO for Dana Okafor."""
    return rk.initials(str(name))


@register.filter
def mark_letter(name: object) -> str:
    """The first letter or digit, for the mark of who has no picture."""
    return next((letter.upper() for letter in str(name) if letter.isalnum()), "·")


@register.filter
def hue(name: object) -> int:
    """Which of the eight mark colors a name gets; the same one everywhere."""
    return zlib.crc32(str(name).encode()) % HUES


@register.filter
def readable_accent(realm: Any) -> str:
    """The realm's color as far as white text on it can be read; mails can't load its stylesheet."""
    return accent_of((realm.branding or {}).get("accent")).light


@register.filter
def country(code: object) -> str:
    """Deutschland for DE, in the reader's language; nothing for no country."""
    return country_name(str(code or ""))


@register.filter
def device_words(user_agent: object) -> str:
    """ "Firefox on macOS" of a user agent."""
    return str(agent_of(str(user_agent or "")))


@register.filter
def device_icon(user_agent: object) -> str:
    """The symbol of its kind."""
    return device_of(str(user_agent or "")).icon


@register.filter
def exact_moment(when: object) -> str:
    """A moment, or its ISO text in a mail's context, as a whole line."""
    at = datetime.fromisoformat(when) if isinstance(when, str) else when
    return dates.long_exact(timezone.localtime(at)) if isinstance(at, datetime) else ""


@register.simple_tag
def moment(when: datetime | None, style: str = "row") -> SafeString:
    """{% moment event.occurred_at %}: "Today 14:20", "Yesterday 09:12", "14 Nov", "2 May 2025"; exact in the title.

    style "inline" is for the middle of a sentence: "today at 14:20", "on 14 November".
    """
    if when is None:
        return SafeString("")
    local = timezone.localtime(when)
    exact = dates.long_exact(local)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, moment_in_words(local, style)
    )


@register.simple_tag
def present_moment() -> str:
    """Now, exactly: what support looks for in the log."""
    return dates.long_exact(timezone.localtime(clock.now()))


def moment_in_words(local: datetime, style: str = "row") -> str:
    """What `moment` shows; `local` is in the reader's time zone."""
    today = timezone.localtime(clock.now()).date()
    time = dates.clock_time(local)
    inline = style == "inline"
    if local.date() == today:
        text = pgettext("in a sentence", "today at %(time)s") if inline else _("Today %(time)s")
        return text % {"time": time}
    if local.date() == today - timedelta(days=1):
        text = pgettext("in a sentence", "yesterday at %(time)s") if inline else _("Yesterday %(time)s")
        return text % {"time": time}
    if local.year == today.year:
        day = dates.long_day_of_year(local) if inline else dates.day_of_year(local)
    else:
        day = dates.long_day(local) if inline else dates.day(local)
    return pgettext("in a sentence", "on %(day)s") % {"day": day} if inline else day


@register.simple_tag
def languages() -> Sequence[tuple[str, str]]:
    """(code, own name) of each language that can be chosen."""
    return settings.LANGUAGES


@register.simple_tag
def password_rules() -> dict[str, Any]:
    """{% password_rules as rules %}: what the realm asks of a new password, in words and for the script."""
    policy = policy_in_force()
    length = ngettext("%(n)s character or more", "%(n)s characters or more", policy.min_length) % {
        "n": policy.min_length
    }
    classes = policy.character_classes
    asked = [f"{length}."]
    ticks = [{"name": "length", "text": length}]
    if classes > 1:
        sentence = str(classes_sentence(classes))
        asked.append(sentence)
        ticks.append({"name": "classes", "text": sentence.removesuffix(".")})
    ticks.append({"name": "own", "text": _("Doesn’t contain your name or email")})
    if policy.history:
        asked.append(
            ngettext("Not your present one.", "None of your last %(n)s.", policy.history) % {"n": policy.history}
        )
    asked.append(_("Three or four unrelated words are easy to remember and hard to guess."))
    return {"least": policy.min_length, "classes": classes, "ticks": ticks, "hint": " ".join(asked)}


@register.simple_tag
def script_texts() -> SafeString:
    """The few sentences that account.js says, in the page's language."""
    texts = {
        "copied": _("Copied"),
        "strength": [_("Weak."), _("Could be stronger."), _("Good."), _("Strong.")],
        "advice": {
            "common": _("It is one of the first that are tried."),
            "own": _("Your name or email is the first that a guesser tries."),
            "digits": _("Digits alone are guessed quickly."),
            "pattern": _("Rows of the keyboard and repeated signs are guessed quickly."),
            "plain": _("It lacks kinds of characters that are asked for here."),
            "short": _("It is too short."),
            "more": _("Two or three more unrelated words help most."),
        },
        "no_passkeys": _("This browser can’t use passkeys. Use another way."),
        "passkey_cancelled": _("Nothing happened. Try again, or use another way."),
        "again_in": _("Send again in %(time)s"),
        "again_now": _("You can ask for another code now."),
        "proof": _("One moment: your browser solves a small sum that keeps bots out."),
        "passkey_there": _("This device holds a passkey of this account already."),
    }
    return json_script(texts, "rk-text")
