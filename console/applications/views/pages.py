"""The tabs of one application."""

import json
from abc import abstractmethod
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.applications.checks import checks_of
from console.applications.forms import AUTH_NAMES, GRANT_NAMES, RedirectsForm, ScopesForm
from console.applications.rows import KIND_LABELS, application_url, may, state_item
from console.applications.stacks import Settings, stacks_for, steps_of
from console.audit.wording import views_of
from console.shell.fragments import redirect_after, render_page
from console.shell.http import ConsoleRequest, number_in
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.applications.commands import change_application
from identity.applications.models import Application, ApplicationStatus, UriKind
from identity.applications.queries import (
    audiences_of,
    get_application,
    people_served,
    realm_scopes,
    secrets_of,
    uris_of,
)
from identity.audit.queries import events_about
from identity.audit.reading import readable
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.naming import issuer_of
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.realms.mount import realm_url

ENDPOINTS = (
    (gettext_lazy("Discovery"), "openid_configuration"),
    (gettext_lazy("Authorization"), "oauth_authorize"),
    (gettext_lazy("Token"), "oauth_token"),
    (gettext_lazy("Userinfo"), "oauth_userinfo"),
    (gettext_lazy("JWKS"), "jwks"),
    (gettext_lazy("Introspection"), "oauth_introspect"),
    (gettext_lazy("Revocation"), "oauth_revoke"),
    (gettext_lazy("Sign-out"), "oauth_logout"),
)
EVENTS_SHOWN = 30


def endpoints_of(realm: Realm) -> list[tuple[str, str]]:
    """Issuer and endpoints, as discovery says them."""
    return [(_("Issuer"), issuer_of(realm)), *((str(label), realm_url(realm, name)) for label, name in ENDPOINTS)]


class ApplicationPage(ConsoleView):
    """What the tabs of an application share."""

    permission = Permission.APPLICATIONS_READ
    tab: ClassVar[str] = "application"
    template: ClassVar[str] = ""

    def application(self, request: ConsoleRequest, public_id: str) -> Application:
        """The application of the address. Raises NotFound, PermissionDenied."""
        return get_application(request.actor, application_id=id_from("application", public_id))

    def context(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """Head, tabs, facts and checks."""
        actor = request.actor
        uris = uris_of(application)
        secrets = secrets_of(actor, application_id=application.pk)
        may_write = may(actor, Permission.APPLICATIONS_WRITE, application)
        menu = [state_item(application)] if may_write else []
        if may(actor, Permission.APPLICATIONS_DELETE, application):
            menu += [
                {"divider": True},
                {
                    "label": _("Delete application…"),
                    "url": application_url(application, "application_delete"),
                    "icon": "delete",
                    "danger": True,
                    "dialog": True,
                },
            ]
        checks = checks_of(application, uris, secrets)
        passing = sum(1 for check in checks if check["severity"] == "ok")
        return {
            "title": application.name,
            "crumb": application.name,
            "application": application,
            "application_id": self.kwargs["public_id"],
            "is_active": application.status == ApplicationStatus.ACTIVE,
            "kind": KIND_LABELS[application.type],
            "people": people_served(application),
            "may_write": may_write,
            "may_secrets": may(actor, Permission.APPLICATIONS_SECRETS, application),
            "menu": menu,
            "edit_url": application_url(application, "application_edit"),
            "tabs": self._tabs(actor, application, uris, checks),
            "facts": self._facts(request, application),
            "checks": checks,
            "checks_summary": _("%(n)s of %(all)s pass") % {"n": passing, "all": len(checks)},
            "uris": uris,
            "secrets": secrets,
        }

    def _tabs(
        self, actor: Actor, application: Application, uris: list[str], checks: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        credentials = application_url(application, "application_credentials")
        warning = next((c["text"] for c in checks if c["url"] == credentials and c["severity"] != "ok"), "")
        tabs: list[tuple[str, str, Any, str]] = [("application", _("Connect"), None, "")]
        if application.is_confidential:
            tabs.append(("application_credentials", _("Credentials"), None, str(warning)))
        if "authorization_code" in application.grant_types:
            tabs.append(("application_redirects", _("Redirects & logout"), len(uris), ""))
        tabs += [
            ("application_scopes", _("Scopes"), len(application.scopes), ""),
            ("application_tokens", _("Tokens"), None, ""),
            ("application_preview", _("Preview"), None, ""),
        ]
        if actor.can(Permission.ROLES_READ):
            tabs.append(("application_access", _("Managers and roles"), None, ""))
        elif may(actor, Permission.ROLES_ASSIGN, application):
            tabs.append(("application_access", _("Roles"), None, ""))
        tabs.append(("application_activity", _("Activity"), None, ""))
        return [
            {
                "label": label,
                "url": application_url(application, name),
                "current": name == self.tab,
                "count": count,
                "warning": warn,
            }
            for name, label, count, warn in tabs
        ]

    @staticmethod
    def _facts(request: ConsoleRequest, application: Application) -> list[dict[str, Any]]:
        minutes = int(request.realm.setting("access_token_lifetime")) // 60
        days = int(request.realm.setting("refresh_token_lifetime")) // 86400
        return [
            {"label": _("Client ID"), "value": application.client_id, "to_copy": application.client_id},
            {"label": _("Type"), "value": KIND_LABELS[application.type]},
            {"label": _("It proves itself with"), "value": dict(AUTH_NAMES)[application.token_endpoint_auth_method]},
            {"label": _("Access token"), "value": _("%(n)s min") % {"n": minutes}},
            {
                "label": _("Refresh token"),
                "value": _("%(n)s days, rotates") % {"n": days} if "refresh_token" in application.grant_types else "",
            },
            {"label": _("Audience"), "value": ", ".join(audiences_of(application.scopes)), "mono": True},
            {"label": _("Consent"), "value": _("skipped") if application.skip_consent else _("asked for")},
            {"label": _("Published by"), "value": application.publisher},
        ]

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The tab."""
        application = self.application(request, public_id)
        context = self.context(request, application)
        context |= self.more(request, application)
        return render_page(request, self.template, context)

    def more(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """What this tab shows beyond the shared part."""
        return {}


class Connect(ApplicationPage):
    """Copy-paste settings and endpoints."""

    template = "console/applications/connect.html"

    def more(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """The chosen stack (in the address), filled in."""
        known = stacks_for(application)
        stack = next((each for each in known if each.key == request.GET.get("stack")), known[0])
        uris = uris_of(application)
        settings = Settings(
            issuer=issuer_of(request.realm),
            client_id=application.client_id,
            scopes=" ".join(application.scopes),
            redirect_uri=uris[0] if uris else "",
            confidential=application.is_confidential,
        )
        base = application_url(application)
        endpoints = endpoints_of(request.realm)
        return {
            "stacks": [
                {"label": each.label, "url": f"{base}?stack={each.key}", "current": each is stack} for each in known
            ],
            "steps": steps_of(stack, settings, uris),
            "endpoints": endpoints,
            "endpoints_json": json.dumps(dict(endpoints), indent=2),
        }


class Credentials(ApplicationPage):
    """Secrets: hints and dates alone."""

    tab = "application_credentials"
    template = "console/applications/credentials.html"


class Tokens(ApplicationPage):
    """What its tokens look like and how long they last."""

    tab = "application_tokens"
    template = "console/applications/tokens.html"

    def more(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """Lifetimes that apply, and an access token's claims as an example."""
        realm = request.realm
        issuer = issuer_of(realm)
        audience = audiences_of(application.scopes)
        example = {
            "iss": issuer,
            "sub": "…",
            "aud": audience[0] if len(audience) == 1 else audience or issuer,
            "client_id": application.client_id,
            "scope": " ".join(application.scopes),
            "exp": "…",
            "jti": "…",
        }
        return {
            "grants": [GRANT_NAMES[grant] for grant in application.grant_types],
            "lifetimes": [
                (_("Access token"), realm.setting("access_token_lifetime")),
                (_("Refresh token, from its last use"), realm.setting("refresh_token_lifetime")),
                (_("Refresh token, at the latest"), realm.setting("refresh_token_max_lifetime")),
                (_("Authorization code"), realm.setting("code_lifetime")),
            ],
            "example": json.dumps(example, indent=2, ensure_ascii=False),
            "settings_url": reverse("console:settings") if request.actor.can(Permission.SETTINGS_READ) else "",
        }


class Activity(ApplicationPage):
    """The newest events about it."""

    tab = "application_activity"
    template = "console/applications/activity.html"

    def more(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """Events, for one who may read the trail."""
        may_read = request.actor.can(Permission.AUDIT_READ)
        rows = events_about(request.actor, object_id=application.pk, limit=EVENTS_SHOWN) if may_read else []
        return {
            "may_read": may_read,
            "events": views_of(readable(rows), request.actor.can),
            "trail_url": f"{reverse('console:audit')}?target={application.pk}",
        }


class _SavingTab(ApplicationPage):
    """A tab with a form that saves itself."""

    @abstractmethod
    def form(self, application: Application, data: Any = None) -> Any:
        """The tab's form."""

    def more(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """The form as it is."""
        return self.shown(application, self.form(application))

    def shown(self, application: Application, form: Any) -> dict[str, Any]:
        """What the template needs to draw the form."""
        return {"form": form}

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Saves it."""
        application = self.application(request, public_id)
        form = self.form(application, request.POST)
        status = 422
        if form.is_valid():
            version = request.POST.get("version", "")
            try:
                changed = change_application(
                    request.actor,
                    application_id=application.pk,
                    expected_version=number_in(version),
                    **form.cleaned_data,
                )
            except Invalid as error:
                form.add_refusal(error)
            except Conflict as error:
                form.add_refusal(error)
                status = 409
            else:
                text = with_trail(request, _("%(name)s is saved.") % {"name": changed.name}, changed.pk)
                return redirect_after(request, application_url(changed, self.tab), text)
        context = self.context(request, application) | self.shown(application, form)
        return render_page(request, self.template, context, status=status)


class Redirects(_SavingTab):
    """Where people may be sent."""

    tab = "application_redirects"
    template = "console/applications/redirects.html"

    def form(self, application: Application, data: Any = None) -> RedirectsForm:
        """Lines of URIs."""
        return RedirectsForm(data, initial=RedirectsForm.initial_of(application))

    def shown(self, application: Application, form: Any) -> dict[str, Any]:
        """Also what is registered now."""
        return {"form": form, "post_logout": uris_of(application, UriKind.POST_LOGOUT)}


class Scopes(_SavingTab):
    """What it may ask for."""

    tab = "application_scopes"
    template = "console/applications/scopes.html"

    def form(self, application: Application, data: Any = None) -> ScopesForm:
        """A checkbox a scope."""
        return ScopesForm(data, scopes=realm_scopes(), initial={"scopes": application.scopes})

    def shown(self, application: Application, form: Any) -> dict[str, Any]:
        """Scopes by API, the realm's own first."""
        chosen = set(form["scopes"].value() or ())
        groups: dict[str, list[dict[str, Any]]] = {}
        for scope in realm_scopes():
            name = scope.resource_server.name if scope.resource_server else ""
            groups.setdefault(name, []).append({"scope": scope, "checked": scope.name in chosen})
        return {"form": form, "groups": sorted(groups.items())}
