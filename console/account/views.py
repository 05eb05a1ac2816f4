"""Pages of the own account: each asks the rooms as the signed-in person and writes by one command."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.account.access import AccountRequest, account_view, said_on
from console.account.activity import entries
from console.account.checkup import check_up
from console.account.factors import factor_context, has_codes
from console.account.forms import AttributesForm, ProfileForm
from console.account.language import remember_language
from console.account.rows import DeviceRow, application_row, by_day, device_rows, known_devices
from console.account.shares import shared_with, titles_of
from identity.accounts.commands import change_profile, set_attributes
from identity.accounts.queries import own_attributes
from identity.audit.queries import own_activity
from identity.consent.commands import withdraw_consent
from identity.consent.models import Consent
from identity.consent.queries import own_consents
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.ids import parse_public_id
from identity.mfa.queries import factors_of, has_second_factor, methods_offered
from identity.security.queries import own_reviews
from identity.sessions.commands import end_session, end_sessions_of_user, forget_device
from identity.sessions.queries import applications_of, own_devices, own_sessions
from identity.signin.attribute_fields import shown_value
from identity.signin.queries import may_have_number
from identity.signin.social import links_of

NEWEST = 3
LINES = 6
PAGE = 50


@require_safe
@account_view
def overview(request: AccountRequest) -> HttpResponse:
    """What to do, where the account is signed in, who can see its data, what happened."""
    user = request.user
    devices = _devices(request)
    consents = list(own_consents(request.actor))
    titles = titles_of(consents)
    context = {
        "section": "overview",
        "first_name": user.given_name or user.name.partition(" ")[0] or user.display_name,
        "checkup": check_up(
            has_password=user.has_usable_password(),
            email=user.email or "",
            email_verified=user.email_verified,
            devices=devices,
            second_factor=has_second_factor(user),
            recovery_codes=has_codes(factors_of(user.pk)) if has_second_factor(user) else False,
            may_add=bool(methods_offered(request.realm)) and request.realm.setting("second_factor") != "off",
        ),
        "devices": devices[:NEWEST],
        "device_count": len(devices),
        "applications": [application_row(consent, titles) for consent in consents[:NEWEST]],
        "application_count": len(consents),
        "activity": entries(own_activity(request.actor, limit=LINES), user_id=user.pk),
    }
    return render(request, "selfservice/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def details(request: AccountRequest) -> HttpResponse:
    """Names, language, time zone; what else the realm keeps; which identifiers there are."""
    if request.method == "POST" and "attributes" in request.POST:
        return _change_attributes(request)
    form = ProfileForm(request.POST if request.method == "POST" else None, user=request.user, realm=request.realm)
    if form.is_valid():
        try:
            change_profile(request.actor, user_id=request.user.pk, **form.cleaned_data)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.message))
        else:
            # What this browser remembers would otherwise outdo what was just chosen.
            language = form.cleaned_data["language"]
            with translation.override(language or get_language()):
                messages.success(request, _("Your details are saved."))
            response = redirect("selfservice:details")
            remember_language(request, response, language)
            return response
    return _details_page(request, form=form)


def _change_attributes(request: AccountRequest) -> HttpResponse:
    own = [each for each in own_attributes() if each.person_may_change]
    form = AttributesForm(request.POST, user=request.user, attributes=own)
    if form.is_valid():
        try:
            set_attributes(request.actor, user_id=request.user.pk, values=form.cleaned_data["attributes"])
        except Invalid as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("Your details are saved."))
            return redirect("selfservice:details")
    return _details_page(request, attributes_form=form)


def _details_page(
    request: AccountRequest, *, form: ProfileForm | None = None, attributes_form: AttributesForm | None = None
) -> HttpResponse:
    seen = own_attributes()
    own = [each for each in seen if each.person_may_change]
    context = {
        "section": "details",
        "form": form or ProfileForm(user=request.user, realm=request.realm),
        "may_have_number": may_have_number(request.realm, request.user),
        "attributes_form": attributes_form or (AttributesForm(user=request.user, attributes=own) if own else None),
        "fixed": [
            {"label": each.label, "value": shown_value(each, request.user.attributes.get(each.name))}
            for each in seen
            if not each.person_may_change
        ],
    }
    refused = any(each is not None and each.errors for each in (form, attributes_form))
    return render(request, "selfservice/details.html", context, status=422 if refused else 200)


@require_safe
@account_view
def security(request: AccountRequest) -> HttpResponse:
    """How the person signs in and gets back in."""
    context = {
        "section": "security",
        "device_count": own_sessions(request.actor).count(),
        **links_of(request.user),
        **factor_context(request),
    }
    return render(request, "selfservice/security.html", context)


@require_safe
@account_view
def devices(request: AccountRequest) -> HttpResponse:
    """Where the account is signed in."""
    rows = _devices(request)
    sessions = list(own_sessions(request.actor))
    context = {
        "section": "devices",
        "days": by_day(rows),
        "others": any(not row.current for row in rows),
        "known": known_devices(own_devices(request.actor), sessions, current_id=request.actor.session_id),
    }
    return render(request, "selfservice/devices.html", context)


def _devices(request: AccountRequest) -> list[DeviceRow]:
    sessions = list(own_sessions(request.actor))
    used_by = applications_of([session.pk for session in sessions])
    reviews = own_reviews(request.actor)
    return device_rows(sessions, current_id=request.actor.session_id, used_by=used_by, reviews=reviews)


@require_POST
@account_view
@said_on("selfservice:devices")
def end_one_session(request: AccountRequest, session_id: str) -> HttpResponse:
    """Sign one of the own devices out, with all that was issued to it."""
    session = own_sessions(request.actor).filter(pk=_parsed("session", session_id)).first()
    if session is None:
        raise NotFound
    end_session(request.actor, session_id=session.pk, reason="ended_by_person")
    messages.success(request, _("That device is signed out."))
    return redirect("selfservice:devices")


@require_POST
@account_view
@said_on("selfservice:devices")
def end_other_sessions(request: AccountRequest) -> HttpResponse:
    """Sign out everything but this device."""
    ended = end_sessions_of_user(
        request.actor, user_id=request.user.pk, except_session_id=request.actor.session_id, reason="ended_by_person"
    )
    said = ngettext("%(count)s other device is signed out.", "%(count)s other devices are signed out.", ended)
    messages.success(request, said % {"count": ended})
    return redirect("selfservice:devices")


@require_POST
@account_view
@said_on("selfservice:devices")
def forget_one_device(request: AccountRequest, device_id: UUID) -> HttpResponse:
    """Sign one of the own devices out and know it no more."""
    forget_device(request.actor, user_id=request.user.pk, device_id=device_id)
    messages.success(request, _("That device is forgotten. The next sign-in there is one on a new device."))
    return redirect("selfservice:devices")


@require_safe
@account_view
def applications(request: AccountRequest) -> HttpResponse:
    """Who can see data of the account."""
    consents = list(own_consents(request.actor))
    titles = titles_of(consents)
    rows = [application_row(consent, titles) for consent in consents]
    context = {
        "section": "applications",
        "others": [row for row in rows if not row.first_party],
        "own": [row for row in rows if row.first_party],
    }
    return render(request, "selfservice/applications.html", context)


@require_safe
@account_view
def application(request: AccountRequest, consent_id: str) -> HttpResponse:
    """What one application gets, with the values that it gets."""
    consent = _consent(request, consent_id)
    context = {
        "section": "applications",
        "app": application_row(consent, titles_of([consent])),
        "scopes": shared_with(consent, request.user),
    }
    return render(request, "selfservice/application.html", context)


@require_POST
@account_view
@said_on("selfservice:applications")
def withdraw(request: AccountRequest, consent_id: str) -> HttpResponse:
    """Take back what the application was allowed."""
    consent = _consent(request, consent_id)
    withdraw_consent(request.actor, consent_id=consent.pk)
    messages.success(request, _("%(app)s can’t see your data any more.") % {"app": consent.application.name})
    return redirect("selfservice:applications")


def _consent(request: AccountRequest, consent_id: str) -> Consent:
    consent = own_consents(request.actor).filter(pk=_parsed("consent", consent_id)).first()
    if consent is None:
        raise NotFound
    return consent


def _parsed(kind: str, text: str) -> UUID:
    value = parse_public_id(kind, text)
    if value is None:
        raise NotFound
    return value


@require_safe
@account_view
def activity(request: AccountRequest) -> HttpResponse:
    """What happened in the account."""
    before = parse_public_id("event", request.GET.get("before", ""))
    rows = own_activity(request.actor, limit=PAGE + 1, before=before)
    lines = entries(rows[:PAGE], user_id=request.user.pk)
    context = {"section": "overview", "activity": lines, "older": lines[-1].public_id if len(rows) > PAGE else ""}
    return render(request, "selfservice/activity.html", context)
