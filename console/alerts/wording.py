"""Alerts in words: a title with links, one line about the state, a sentence that says what happened."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.audit.wording import May, page_of
from console.shell import dates
from identity.kernel.ids import public_id
from identity.kernel.places import country_name
from identity.security.events import REASONS
from identity.security.models import Alert, AlertStatus
from identity.security.queries import address_of
from identity.security.rules import MOST_COUNTED, Detector

TITLES: dict[str, str | Promise] = {
    Detector.PASSWORD_GUESSING: gettext_lazy("Password guessing"),
    Detector.PASSWORD_SPRAYING: gettext_lazy("Password spraying from one address"),
    Detector.REFRESH_REUSE: gettext_lazy("Refresh token used twice"),
    Detector.CODE_REPLAY: gettext_lazy("Sign-in code used twice"),
    Detector.SMS_BUDGET: gettext_lazy("Text message budget used up"),
    Detector.DENIED_SIGN_IN: gettext_lazy("Sign-in that was not the person"),
}


def alert_url(alert: Alert, name: str = "alert") -> str:
    """The alert's page, or one of its dialogs."""
    return reverse(f"console:{name}", args=[public_id("alert", alert.pk)])


def person_of(alert: Alert) -> str:
    """What the alert's person is called now."""
    return alert.user.display_name if alert.user is not None else ""


def subject_of(alert: Alert, may: May) -> SafeString:
    """The person, with a link where the viewer may follow it, or the address."""
    if alert.detector == Detector.SMS_BUDGET:
        return format_html('<span class="mono">{}</span>', budget_of(alert))
    if alert.user is None:
        return format_html('<span class="mono">{}</span>', address_of(alert) or _("an unknown address"))
    url = page_of("user", alert.user_id, may)
    if not url:
        return format_html("<span>{}</span>", person_of(alert))
    return format_html('<a class="link" href="{}">{}</a>', url, person_of(alert))


def title_of(alert: Alert) -> str:
    """What it is, without whom."""
    return str(TITLES.get(alert.detector, alert.detector))


def full_title(alert: Alert, may: May) -> SafeString:
    """What it is and about whom."""
    if alert.detector == Detector.PASSWORD_SPRAYING:
        return format_html(_("Password spraying from {subject}"), subject=subject_of(alert, may))
    if alert.detector == Detector.SMS_BUDGET:
        return format_html("{}: {}", title_of(alert), subject_of(alert, may))
    return format_html(_("{title} on {subject}"), title=title_of(alert), subject=subject_of(alert, may))


def budget_of(alert: Alert) -> str:
    """Which budget: a range of numbers, an address, or whose."""
    match alert.evidence.get("scope"):
        case "prefix":
            return f"{alert.evidence.get('prefix', '')}…"
        case "address":
            return address_of(alert) or _("an unknown address")
        case "platform":
            return _("the whole installation")
    return _("this realm")


def number_of(evidence: dict[str, Any], name: str) -> str:
    """A count, which a flood may have cut."""
    value = int(evidence.get(name, 0))
    return _("%(n)s or more") % {"n": value} if value >= MOST_COUNTED else str(value)


def meta_of(alert: Alert) -> str:
    """One line under a title that names the person or address: how much, and whether it worked."""
    evidence = alert.evidence
    if alert.detector == Detector.SMS_BUDGET:
        return _limit_of(evidence)
    if alert.detector == Detector.DENIED_SIGN_IN:
        return denied_meta(alert)
    tries = int(evidence.get("tries", 0))
    parts = [ngettext("%(n)s try", "%(n)s tries", tries) % {"n": number_of(evidence, "tries")}]
    if alert.detector == Detector.PASSWORD_SPRAYING:
        people = int(evidence.get("people", 0))
        parts.append(ngettext("%(n)s person", "%(n)s people", people) % {"n": people})
    elif alert.application is not None:
        parts.append(alert.application.name)
    if alert.detector in (Detector.PASSWORD_GUESSING, Detector.PASSWORD_SPRAYING):
        parts.append(_("somebody got in") if evidence.get("got_in") else _("nobody got in"))
    return " · ".join(parts)


def queue_meta(alert: Alert) -> str:
    """The same in plain text, for rows that are links themselves."""
    if alert.detector == Detector.SMS_BUDGET:
        return f"{budget_of(alert)} · {_limit_of(alert.evidence)}"
    if alert.detector == Detector.DENIED_SIGN_IN:
        return f"{person_of(alert)} · {denied_meta(alert)}"
    tries = int(alert.evidence.get("tries", 0))
    about = person_of(alert) or address_of(alert)
    counted = ngettext("%(n)s try", "%(n)s tries", tries) % {"n": number_of(alert.evidence, "tries")}
    return f"{about} · {counted}"


def sentence_of(alert: Alert) -> str:
    """What happened, for people who were not there."""
    evidence = alert.evidence
    values = {
        "tries": number_of(evidence, "tries"),
        "people": evidence.get("people", 0),
        "addresses": evidence.get("addresses", 0),
        "person": person_of(alert),
        "application": alert.application.name if alert.application else _("An application"),
        "when": _span(_clock(evidence.get("first_at", "")), _clock(alert.last_signal_at.isoformat())),
    }
    match alert.detector:
        case Detector.PASSWORD_GUESSING:
            where = (
                ngettext("from %(n)s address", "from %(n)s addresses", int(values["addresses"]))
                % {"n": values["addresses"]}
            )  # fmt: skip
            told = _("%(tries)s sign-ins as %(person)s failed %(when)s, %(where)s.")
            return f"{told % {**values, 'where': where}} {_got_in(evidence)}"
        case Detector.PASSWORD_SPRAYING:
            told = _("%(tries)s sign-ins for %(people)s names failed from one address %(when)s.")
            return f"{told % values} {_got_in(evidence)}"
        case Detector.REFRESH_REUSE:
            return (
                _(
                    "%(application)s sent a refresh token of %(person)s that had been replaced before. Its whole "
                    "family was revoked. Either an old request was repeated, or somebody else holds a copy."
                )
                % values
            )
        case Detector.DENIED_SIGN_IN:
            told = _("%(person)s says that the sign-in %(when)s was somebody else: %(why)s.")
            moment = _("at %(time)s") % {"time": _clock(evidence.get("first_at", ""))}
            return f"{told % {**values, 'when': moment, 'why': denied_meta(alert)}} {denied_result(evidence)}"
        case Detector.SMS_BUDGET:
            told = _("The day’s %(n)s text messages for %(budget)s were used up %(when)s; more were held back.")
            why = _("Either many people sign in, or somebody makes the realm pay for messages to numbers of his own.")
            return f"{told % {**values, 'n': evidence.get('limit', 0), 'budget': budget_of(alert)}} {why}"
        case _:
            return (
                _(
                    "%(application)s sent a sign-in code of %(person)s a second time. What the first use gave was "
                    "revoked. Either a request was repeated, or somebody else saw the code."
                )
                % values
            )


def denied_meta(alert: Alert) -> str:
    """Why the sign-in stood out, and the country that it came from."""
    evidence = alert.evidence
    parts = [str(REASONS.get(reason, reason)) for reason in evidence.get("reasons", ())]
    return " · ".join(part for part in (*parts, country_name(str(evidence.get("country") or ""))) if part)


def denied_result(evidence: dict[str, Any]) -> str:
    """What was contained at once, in a sentence."""
    done = evidence.get("outcome", {})
    ended = int(done.get("sessions_ended", 0))
    parts = [ngettext("%(n)s session ended", "%(n)s sessions ended", ended) % {"n": ended}]
    if done.get("password"):
        parts.append(_("the password is void"))
    if factors := len(done.get("factors", ())):
        parts.append(ngettext("%(n)s factor taken back", "%(n)s factors taken back", factors) % {"n": factors})
    if names := done.get("identities"):
        parts.append(_("unlinked: %(names)s") % {"names": ", ".join(names)})
    if consents := int(done.get("consents", 0)):
        parts.append(ngettext("%(n)s consent withdrawn", "%(n)s consents withdrawn", consents) % {"n": consents})
    if done.get("address"):
        parts.append(_("the former email address is back"))
    return _("Contained at once: %(done)s.") % {"done": ", ".join(parts)}


def _limit_of(evidence: dict[str, Any]) -> str:
    limit = int(evidence.get("limit", 0))
    return ngettext("%(n)s message a day", "%(n)s messages a day", limit) % {"n": limit}


def _got_in(evidence: dict[str, Any]) -> str:
    number = int(evidence.get("got_in") or 0)
    if not number:
        return _("Nobody got in.")
    return (
        ngettext(
            "%(n)s sign-in from there succeeded meanwhile.", "%(n)s sign-ins from there succeeded meanwhile.", number
        )
        % {"n": number}
    )  # fmt: skip


def _span(first: str, last: str) -> str:
    if first == last:
        return _("at %(time)s") % {"time": first}
    return _("between %(first)s and %(last)s") % {"first": first, "last": last}


def _clock(moment: str) -> str:
    if not moment:
        return ""
    return dates.clock_time(timezone.localtime(datetime.fromisoformat(moment)))


def result_of(alert: Alert, names: dict[UUID, str]) -> str:
    """What became of a closed alert."""
    if alert.status == AlertStatus.OPEN:
        return ""
    who = names.get(alert.closed_by, _("An operator")) if alert.closed_by else _("Realmkeep")
    at = dates.day_and_time(timezone.localtime(alert.closed_at)) if alert.closed_at else ""
    if alert.status == AlertStatus.DISMISSED:
        told = _("%(who)s dismissed it as expected, %(at)s.") % {"who": who, "at": at}
        return f"{told} “{alert.close_note}”" if alert.close_note else told
    done = alert.evidence.get("result", {})
    ended = int(done.get("sessions_ended", 0))
    told = _("%(who)s contained it, %(at)s.") % {"who": who, "at": at}
    effect = ngettext("%(n)s session ended.", "%(n)s sessions ended.", ended) % {"n": ended}
    locked = _("%(person)s is locked until somebody unlocks the account.") % {"person": person_of(alert)}
    return " ".join([told, effect, *([locked] if done.get("locked") else [])])
