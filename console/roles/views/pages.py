"""The list of roles, their comparison, and the tabs of one."""

import json
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.roles.matrix import matrix
from console.roles.rows import (
    KIND,
    holder_of,
    role_description,
    role_title,
    role_url,
    row_of,
    scope_of,
)
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.lists import ListState, paginate
from console.shell.permissions import requirement_text
from console.shell.views import ConsoleView
from identity.access.models import Role, RoleKind
from identity.access.queries import assignments_of_role, get_role, manages_roles_of, may_assign, missing_of, roles
from identity.access.rules import rank_of_role
from identity.accounts.queries import seen_among
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


class Roles(ConsoleView):
    """Console roles and application roles, each in a view of its own.

    The manager of one application sees the roles of that application alone.
    """

    permission = Permission.ROLES_READ
    also = (Permission.ROLES_ASSIGN,)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        sees_console = request.actor.can(Permission.ROLES_READ) or request.actor.can(Permission.ROLES_ASSIGN)
        asked = request.GET.get(KIND) == RoleKind.APPLICATION
        kind = RoleKind.APPLICATION if asked or not sees_console else RoleKind.CONSOLE
        state = ListState(request, keep=(KIND,))
        rows = roles(request.actor, kind, search=state.search)
        page = paginate(state, rows, order=("-built_in", "name", "id"))
        page.rows[:] = [row_of(role, request.actor) for role in page.rows]
        base = reverse("console:roles")
        return render_page(
            request,
            "console/roles/list.html",
            {
                "title": _("Roles"),
                "lead": _("A console role opens this console. An application role is a name that tokens carry."),
                "state": state,
                "page": page,
                "kind": kind,
                "may_compare": kind == RoleKind.CONSOLE and request.actor.can(Permission.ROLES_READ),
                "views": [
                    {"label": _("Console roles"), "url": base, "current": kind == RoleKind.CONSOLE},
                    {
                        "label": _("Application roles"),
                        "url": f"{base}?{KIND}=application",
                        "current": kind == RoleKind.APPLICATION,
                    },
                ][0 if sees_console else 1 :],
                "create_url": f"{reverse('console:role_create')}?{KIND}={kind}",
                "may_create": request.actor.can(Permission.ROLES_WRITE),
            },
            fragment="results",
        )


class Compare(ConsoleView):
    """Every console role beside the others."""

    permission = Permission.ROLES_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The table."""
        found = roles(request.actor, RoleKind.CONSOLE)
        columns = sorted(found, key=lambda role: (not role.built_in, rank_of_role(role.name), role.name))
        return render_page(
            request,
            "console/roles/compare.html",
            {
                "title": _("Compare roles"),
                "crumb": _("Compare"),
                "lead": _("What each console role allows."),
                "columns": [(role_title(role), role_url(role)) for role in columns],
                "areas": matrix([role.permissions for role in columns], platform=request.realm.is_platform),
            },
        )


class _RolePage(ConsoleView):
    """What the tabs of a role share."""

    permission = Permission.ROLES_READ
    also = (Permission.ROLES_ASSIGN,)

    def context(self, request: ConsoleRequest, role: Role, tab: str) -> dict[str, Any]:
        """Head and tabs."""
        holders: int = role.holders  # type: ignore[attr-defined]  # annotated by the query
        console = role.kind == RoleKind.CONSOLE
        return {
            "title": role_title(role),
            "crumb": role_title(role),
            "role": role,
            "role_id": public_id("role", role.pk),
            "role_title": role_title(role),
            "description": role_description(role),
            "is_console": console,
            "scope": scope_of(role),
            "holders": holders,
            "may_give": may_assign(request.actor, role),
            "may_change": request.actor.can(Permission.ROLES_WRITE)
            and not role.built_in
            and not missing_of(request.actor, role.permissions),
            "may_require": request.actor.can(Permission.ROLES_WRITE)
            and not missing_of(request.actor, role.permissions),
            "missing": missing_of(request.actor, role.permissions),
            "tabs": [
                {
                    "label": _("What it allows") if console else _("Overview"),
                    "url": role_url(role),
                    "current": tab == "role",
                },
                {
                    "label": _("People"),
                    "url": role_url(role, "role_people"),
                    "current": tab == "people",
                    "count": holders,
                },
            ],
        }


class RoleDetail(_RolePage):
    """What a role allows."""

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The first tab."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        context = self.context(request, role, "role")
        if role.kind == RoleKind.CONSOLE:
            context["areas"] = matrix([role.permissions], platform=request.realm.is_platform)
        else:
            context["claim"] = json.dumps({"…": "…", "roles": [role.name]}, ensure_ascii=False, indent=2)
        context["facts"] = [
            {"label": _("Kind"), "value": _("Console role") if context["is_console"] else _("Application role")},
            {"label": _("Made by"), "value": _("Realmkeep, in every realm") if role.built_in else _("this realm")},
            {"label": _("Counts for"), "value": context["scope"]},
            {"label": _("Permissions"), "value": len(role.permissions) if context["is_console"] else None},
            {
                "label": _("Counts only with"),
                "value": ", ".join(requirement_text(word) for word in role.requirements),
            },
            {"label": _("People"), "value": context["holders"]},
            {"label": _("Role ID"), "value": public_id, "to_copy": public_id},
        ]
        return render_page(request, "console/roles/role.html", context)


class RolePeople(_RolePage):
    """Who holds a role."""

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The second tab."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        context = self.context(request, role, "people")
        state = ListState(request)
        if request.actor.can_somewhere(Permission.USERS_READ) or manages_roles_of(request.actor, role):
            rows = assignments_of_role(request.actor, role_id=role.pk, search=state.search)
            page = paginate(state, rows, order=("-id",))
            seen = seen_among(request.actor, [row.user_id for row in page.rows])
            page.rows[:] = [holder_of(row, is_seen=row.user_id in seen) for row in page.rows]
            context["page"] = page
        context["state"] = state
        fragment = "results" if request.htmx and request.htmx.target == "results" else "panel"
        return render_page(request, "console/roles/people.html", context, fragment=fragment)
