"""The list of people and the tabs of one."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.audit.wording import views_of
from console.consents.rows import row_of as consent_row
from console.organizations.rows import organization_url
from console.roles.rows import role_title
from console.savedviews.tabs import open_list
from console.sessions.rows import rows_of as session_rows
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.lists import Filter, ListState, Option, paginate, total_of
from console.shell.trail import trail_url
from console.shell.views import ConsoleView
from console.templatetags.rk import copy_id, relative_time
from console.users.devices import device_panel
from console.users.factors import factor_panel
from console.users.links import link_panel
from console.users.people import Rights, menu_of, rights_on, row_of, short, state_of, user_url
from identity.access.queries import (
    APPLICATION,
    assignments_of_user,
    memberships_of_user,
    organization_scopes,
    outranking,
    role_names_of,
    roles,
)
from identity.accounts.models import User
from identity.accounts.queries import attributes_of_people, find_users, get_user, invited_among, open_invitation_of
from identity.audit.queries import events_about
from identity.audit.reading import readable
from identity.consent.queries import find_consents
from identity.kernel.ids import parse_public_id, public_id
from identity.kernel.permissions import Permission
from identity.sessions.queries import find_sessions
from identity.signin.attribute_fields import shown_value
from identity.signin.queries import pauses_of

STATUS = Filter(
    "status",
    gettext_lazy("Status"),
    (
        Option("active", gettext_lazy("Active")),
        Option("invited", gettext_lazy("Invited")),
        Option("pending", gettext_lazy("Waits for approval")),
        Option("locked", gettext_lazy("Locked")),
        Option("disabled", gettext_lazy("Disabled")),
    ),
)
ROLES_IN_FILTER = 40
EVENTS_ON_OVERVIEW, EVENTS_ON_TAB = 8, 50


class Users(ConsoleView):
    """People, newest first."""

    permission = Permission.USERS_READ

    def _filters(self, request: ConsoleRequest) -> tuple[Filter, ...]:
        if not request.actor.can(Permission.ROLES_READ):
            return (STATUS,)
        options = tuple(
            Option(public_id("role", role.pk), role_title(role)) for role in roles(request.actor)[:ROLES_IN_FILTER]
        )
        return (STATUS, Filter("role", _("Role"), options))

    @staticmethod
    def _lead(request: ConsoleRequest) -> str:
        """How many there are, and how many of them are out."""
        everybody = total_of(find_users(request.actor))
        parts = [
            ngettext("%(n)s person.", "%(n)s people.", everybody.number) % {"n": everybody},
            *(
                f"{total_of(find_users(request.actor, status=status))} {word}"
                for status, word in (
                    ("locked", _("locked")),
                    ("disabled", _("disabled")),
                    ("invited", _("invited")),
                    ("pending", _("waiting for approval")),
                )
            ),
        ]
        return " ".join([parts[0], ", ".join(part for part in parts[1:] if not part.startswith("0 "))]).strip()

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        actor = request.actor
        state = ListState(request, self._filters(request))
        leave = open_list(request, state, "users")
        if leave is not None:
            return leave
        role_id = parse_public_id("role", state.get("role")) if state.get("role") else None
        found = find_users(actor, search=state.search, status=state.get("status"), role_id=role_id)
        page = paginate(state, found, order=("-id",))
        ids = [user.pk for user in page.rows]
        held = role_names_of(ids)
        invited = invited_among(ids)
        above = outranking(actor, ids)
        page.rows[:] = [row_of(user, actor, held.get(user.pk, []), invited=invited, above=above) for user in page.rows]
        may_end, may_disable = (
            actor.can_somewhere(Permission.SESSIONS_END),
            actor.can_somewhere(Permission.USERS_DISABLE),
        )
        return render_page(
            request,
            "console/users/list.html",
            {
                "title": _("Users"),
                "lead": "" if state.is_fragment else self._lead(request),
                "state": state,
                "page": page,
                "shows_roles": actor.can(Permission.ROLES_READ),
                "may_invite": actor.can(Permission.USERS_INVITE),
                "may_create": actor.can(Permission.USERS_WRITE),
                "may_act": may_end or may_disable,
                "bulk_actions": [
                    *_bulk(may_end, _("End the sessions of"), "users_end_sessions", "logout"),
                    *_bulk(may_disable, _("Disable"), "users_disable", "person_off", danger=True),
                ],
            },
            fragment="results",
        )


def _bulk(allowed: bool, label: str, name: str, icon: str, **extra: Any) -> list[dict[str, Any]]:
    return (
        [{"label": label, "url": reverse(f"console:{name}"), "icon": icon, "ellipsis": True, **extra}]
        if allowed
        else []
    )


class PersonPage(ConsoleView):
    """What the tabs of a person share."""

    permission = Permission.USERS_READ
    tab = "user"

    def person(self, request: ConsoleRequest, text: str) -> tuple[User, dict[str, Any], Rights]:
        """The person and the page's head: state, actions, and the tabs that the actor may open, with their counts."""
        actor = request.actor
        user = get_user(actor, user_id=id_from("user", text))
        invitation = open_invitation_of(actor, user_id=user.pk)
        state = state_of(user, invited=invitation is not None)
        rights = rights_on(actor, user.pk, outranked=user.pk in outranking(actor, [user.pk]))
        scopes = organization_scopes(user.pk) if actor.object_permissions else ()
        tabs = [self._tab("user", _("Overview"), user)]
        context: dict[str, Any] = {}
        if actor.can(Permission.ROLES_READ) or actor.scopes_of(Permission.ROLES_ASSIGN, APPLICATION):
            context["assignments"] = list(assignments_of_user(actor, user_id=user.pk))
        if actor.can_somewhere(Permission.ORGANIZATIONS_READ):
            context["memberships"] = list(memberships_of_user(actor, user_id=user.pk))
        if "assignments" in context or "memberships" in context:
            tabs.append(self._tab("user_access", _("Access"), user))
        if actor.can(Permission.SESSIONS_READ, *scopes):
            context["live_sessions"] = find_sessions(actor, user_id=user.pk)
            context["sessions_count"] = context["live_sessions"].count()
            tabs.append(self._tab("user_sessions", _("Sessions"), user, context["sessions_count"]))
        if actor.can_somewhere(Permission.CONSENTS_READ):
            context["consents"] = find_consents(actor, user_id=user.pk)
            tabs.append(self._tab("user_consents", _("Consents"), user, context["consents"].count()))
        if actor.can(Permission.AUDIT_READ):
            tabs.append(self._tab("user_activity", _("Activity"), user))
        context |= {
            "title": user.display_name,
            "crumb": user.display_name,
            "person": user,
            "person_id": text,
            "state": state,
            "rights": rights,
            "invitation": invitation,
            "menu": menu_of(user, rights, state),
            "may_unlock": rights.may_unlock(user) and not rights.is_self,
            "meta": _meta(request, user, text),
            "tabs": tabs,
        }
        return user, context, rights

    def _tab(self, name: str, label: str, user: User, count: int | None = None) -> dict[str, Any]:
        return {"label": label, "url": user_url(user.pk, name), "current": name == self.tab, "count": count}


def _meta(request: ConsoleRequest, user: User, text: str) -> SafeString:
    who = user.email or user.username or user.phone
    first = (
        format_html('<span class="breakable">{}</span><span class="desk" aria-hidden="true">·</span>', who)
        if who
        else ""
    )
    since = relative_time({"request": request}, user.created_at, "date")  # type: ignore[arg-type]
    return format_html(
        '{}{}<span class="desk" aria-hidden="true">·</span><span>{} {}</span>',
        first,
        copy_id(text, _("user ID")),
        _("since"),
        since,
    )


class Overview(PersonPage):
    """Who it is, how this person gets in, and what happened lately."""

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The first tab."""
        user, context, rights = self.person(request, public_id)
        actor = request.actor
        if actor.can(Permission.AUDIT_READ):
            rows = events_about(actor, object_id=user.pk, limit=EVENTS_ON_OVERVIEW)
            context["events"] = views_of(readable(rows), actor.can)
        if "live_sessions" in context:
            context["some_sessions"] = session_rows(list(context["live_sessions"][:3]), actor)
        context["facts"] = self._facts(request, user, context)
        context["sign_in_ways"] = _ways(user)
        context["pauses"] = [
            {"everywhere": pause.everywhere, "network": pause.network, "until": short(pause.until)}
            for pause in pauses_of(actor, user_id=user.pk)
        ]
        context |= factor_panel(actor, user, rights)
        context |= device_panel(actor, user, rights)
        context |= link_panel(user, rights)
        return render_page(request, "console/users/overview.html", context)

    @staticmethod
    def _facts(request: ConsoleRequest, user: User, context: dict[str, Any]) -> list[dict[str, Any]]:
        names = dict(settings.LANGUAGES)
        held = [a.role for a in context.get("assignments", ())]
        belongs = [row.organization for row in context.get("memberships", ())]
        when = {"request": request}
        return [
            {"label": _("Email"), "value": user.email},
            {"label": _("Phone"), "value": user.phone},
            {"label": _("Username"), "value": user.username},
            {"label": _("Roles"), "value": ", ".join(role_title(role) for role in held)},
            {"label": _("Organizations"), "value": _links((row.name, organization_url(row)) for row in belongs)},
            {"label": _("Language"), "value": names.get(user.language or "", "")},
            {"label": _("Time zone"), "value": (user.time_zone or "").replace("_", " ")},
            *(
                {"label": each.label, "value": shown_value(each, user.attributes.get(each.name))}
                for each in attributes_of_people()
            ),
            {"label": _("Last sign-in"), "value": relative_time(when, user.last_sign_in_at)},  # type: ignore[arg-type]
            {"label": _("Created"), "value": relative_time(when, user.created_at, "date")},  # type: ignore[arg-type]
            {"label": _("Key in realm files"), "value": user.key, "mono": True},
        ]


def _links(named: Iterable[tuple[str, str]]) -> SafeString:
    """Names with their pages, in one line."""
    return format_html_join(", ", '<a class="link" href="{1}">{0}</a>', named)


def _ways(user: User) -> list[dict[str, Any]]:
    """What the person signs in with, and whether it is proven."""
    ways = []
    if user.has_usable_password():
        changed = _("set %(when)s") % {"when": short(user.password_changed_at)} if user.password_changed_at else ""
        due = bool(user.password_change_required)
        note = _("New one at the next sign-in") if due else changed
        ways.append({"icon": "password", "label": _("Password"), "note": note, "level": "medium" if due else ""})
    else:
        ways.append({"icon": "password", "label": _("No password yet"), "note": "", "level": "medium"})
    if user.email:
        ways.append(_address("mail", _("Email"), proven=user.email_verified))
    if user.phone:
        ways.append(_address("call", _("Phone number"), proven=user.phone_verified_at is not None))
    return ways


def _address(icon: str, label: str, *, proven: bool) -> dict[str, Any]:
    note = _("Confirmed") if proven else _("Not confirmed")
    return {"icon": icon, "label": label, "note": note, "level": "ok" if proven else "medium"}


class Sessions(PersonPage):
    """Where this person is signed in."""

    tab = "user_sessions"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The third tab: usable sessions, then ended ones."""
        user, context, _rights = self.person(request, public_id)
        state = ListState(request)
        page = paginate(state, find_sessions(request.actor, user_id=user.pk, status=""), order=("-id",))
        page.rows[:] = session_rows(page.rows, request.actor)
        context |= {"list_state": state, "page": page}
        return render_page(request, "console/users/sessions.html", context)


class Consents(PersonPage):
    """What this person lets applications use."""

    tab = "user_consents"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The fourth tab."""
        user, context, _rights = self.person(request, public_id)
        state = ListState(request)
        page = paginate(state, find_consents(request.actor, user_id=user.pk), order=("-id",))
        page.rows[:] = [consent_row(consent, request.actor) for consent in page.rows]
        context |= {"list_state": state, "page": page}
        return render_page(request, "console/users/consents.html", context)


class Activity(PersonPage):
    """What this person did, and what was done to the account."""

    tab = "user_activity"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The last tab."""
        user, context, _rights = self.person(request, public_id)
        rows = events_about(request.actor, object_id=user.pk, limit=EVENTS_ON_TAB)
        context["events"] = views_of(readable(rows), request.actor.can)
        context["is_full"] = len(rows) == EVENTS_ON_TAB
        context["trail_url"] = trail_url(request, "user", user.pk, user.display_name)
        return render_page(request, "console/users/activity.html", context)
