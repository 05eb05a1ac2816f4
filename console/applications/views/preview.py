"""What tokens of this application would say about a person: claims with their sources, and roles with reasons."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from console.applications.claims import WAYS, hindrances_in_words, rows_of, scope_lines
from console.applications.rows import application_url
from console.applications.views.pages import ApplicationPage
from console.roles.rows import role_url, scope_of
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.permissions import requirement_text
from console.users.people import user_url
from console.users.picker import Match, asks_for_matches, matches, matches_of
from identity.access.models import Role
from identity.accounts.queries import attributes_of_people, get_user, user_by_id
from identity.applications.models import Application
from identity.applications.queries import realm_scopes
from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission
from identity.mfa.rules import acr_of, amr_of
from identity.oauth.queries.preview import Preview as Tokens
from identity.oauth.queries.preview import preview_tokens
from identity.signin.hindrances import SIGN_INS, hindrances_of, likely_way, shown_by

REGION = "preview"
"""The id of the region that a change of scopes or of the sign-in swaps."""


def people_for(actor: Actor, term: str) -> list[Match]:
    """Whom the actor may see; who may see nobody can still look at himself."""
    if actor.can_somewhere(Permission.USERS_READ):
        return matches(actor, term, among=lambda _ids: (), taken="")
    own = user_by_id(actor.id) if actor.is_person and actor.id is not None else None
    return matches_of([own] if own is not None else [], among=lambda _ids: (), taken="")


class Preview(ApplicationPage):
    """The tab. Everything that is chosen stands in the address, so a preview can be linked to and comes back."""

    tab = "application_preview"
    template = "console/applications/preview.html"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The search, the tab, or the region of it that shows the tokens."""
        application = self.application(request, public_id)
        if asks_for_matches(request):
            term = request.GET.get("q", "")
            found = people_for(request.actor, term)
            return render(request, "console/users/_matches.html", {"matches": found, "term": term})
        asked = request.GET.get("user", "")
        chosen = self.chosen(request, application, asked) if asked else self.nobody(request, application)
        htmx = getattr(request, "htmx", None)
        if htmx and htmx.target == REGION:
            return render_page(request, self.template, chosen, fragment=REGION)
        return render_page(request, self.template, {**self.context(request, application), **chosen})

    @staticmethod
    def nobody(request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """Choose a person first."""
        term = request.GET.get("q", "")
        return {
            "person": None,
            "term": term,
            "matches": people_for(request.actor, term),
            "action": application_url(application, "application_preview"),
        }

    @staticmethod
    def chosen(request: ConsoleRequest, application: Application, asked: str) -> dict[str, Any]:
        """What this person would get. Raises NotFound, PermissionDenied."""
        user = get_user(request.actor, user_id=id_from("user", asked))
        way = request.GET.get("way", "")
        if way not in SIGN_INS:
            way = likely_way(request.realm, user, application)
        shown = shown_by(way)
        scopes = request.GET.getlist("scope") if "chosen" in request.GET else list(application.scopes)
        tokens = preview_tokens(
            request.actor,
            realm=request.realm,
            application_id=application.pk,
            user_id=user.pk,
            scopes=scopes,
            amr=amr_of(shown),
            acr=acr_of(shown),
        )
        known = {scope.name: scope for scope in realm_scopes()}
        return {
            "person": user,
            "person_id": asked,
            "person_url": user_url(user.pk) if request.actor.can_somewhere(Permission.USERS_READ) else "",
            "action": application_url(application, "application_preview"),
            "scope_lines": scope_lines(known, application.scopes, tokens.scopes),
            "ways": [(name, label, name == way) for name, label in WAYS.items()],
            "no_key": not tokens.has_key,
            "asks": [known[name].shown_title if name in known else name for name in tokens.asks],
            "tokens": _tokens(tokens),
            "role_rows": [_role_row(role, unmet) for role, unmet in tokens.roles],
            **hindrances_in_words(hindrances_of(request.realm, user, application, shown)),
        }


def _tokens(found: Tokens) -> list[dict[str, Any]]:
    labels = {each.name: each.label for each in attributes_of_people()}
    parts = (("id_token", found.id_token), ("access_token", found.access_token), ("userinfo", found.userinfo))
    return [
        {
            "kind": kind,
            "claims": rows_of(claims, found.sources, labels),
            "text": json.dumps(claims, indent=2, ensure_ascii=False),
        }
        for kind, claims in parts
        if claims is not None
    ]


def _role_row(role: Role, unmet: list[str]) -> dict[str, Any]:
    return {
        "name": role.name,
        "url": role_url(role),
        "scope": scope_of(role),
        "unmet": [requirement_text(word) for word in unmet],
    }
