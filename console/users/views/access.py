"""What a person may do, and why: roles, single objects, organizations, and what they add up to."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.managers.wording import label_on
from console.organizations.rows import organization_url
from console.roles.matrix import AREAS, sentence_case
from console.roles.rows import role_title, role_url, scope_of
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.permissions import label_of, requirement_text
from console.users.views.pages import PersonPage
from identity.access.models import Membership, ObjectGrant, RoleAssignment, RoleKind
from identity.access.permission_sync import GRANTABLE
from identity.access.queries import APPLICATION, grants_of_user, may_assign, unmet_of
from identity.accounts.models import User
from identity.applications.models import ApplicationStatus
from identity.applications.queries import find_applications
from identity.audit.queries import EventFilter, find_events
from identity.audit.reading import readable
from identity.kernel.errors import PermissionDenied
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission

GIVEN_BY = ("role.assigned", "grant.added", "membership.added")
MOST_GIVEN = 300
"""How many of the newest such events are looked through for who gave something."""

MOST_PREVIEWS = 24

Given = dict[tuple[str, str, str], tuple[str, Any]]
"""(event type, what, permission) → who gave it, and when."""


class Access(PersonPage):
    """Roles, permissions on single objects and organizations together, each with who gave it and when."""

    tab = "user_access"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The second tab."""
        user, context, _rights = self.person(request, public_id)
        actor = request.actor
        if "assignments" not in context and "memberships" not in context:
            raise PermissionDenied(permission=Permission.ROLES_READ)
        given = _given(request, user)
        assignments: list[RoleAssignment] = context.get("assignments", [])
        grants = list(grants_of_user(actor, user_id=user.pk)) if actor.can(Permission.ROLES_READ) else []
        objects = [
            g for g in grants if g.permission.codename in GRANTABLE.get(g.content_type.model, ()) and g.content_object
        ]
        context |= {
            "shows_roles": "assignments" in context,
            "shows_organizations": "memberships" in context,
            "rows": [_role_row(request, row, user, public_id, given) for row in assignments],
            "grants": _grant_rows(objects, public_id, actor.can(Permission.ROLES_ASSIGN), given),
            "belongs": [_membership_row(row, public_id, request, given) for row in context.get("memberships", [])],
            "may_give": actor.can_somewhere(Permission.ROLES_ASSIGN),
            "previews": _previews(request, user),
            "sums": _sums([row for row in assignments if not unmet_of(row.role, user)], objects)
            if actor.can(Permission.ROLES_READ)
            else [],
        }
        return render_page(request, "console/users/access.html", context)


def _previews(request: ConsoleRequest, user: User) -> dict[str, Any] | None:
    """The applications that people sign in to, each with what its tokens would say of this person."""
    if not request.actor.can_somewhere(Permission.APPLICATIONS_READ):
        return None
    found = find_applications(request.actor, status=ApplicationStatus.ACTIVE).order_by("name", "id")
    rows = [each for each in found[: MOST_PREVIEWS + 1] if each.allows_grant_type("authorization_code")]
    links = [
        {
            "name": each.name,
            "url": f"{reverse('console:application_preview', args=[public_id(APPLICATION, each.pk)])}"
            f"?user={public_id('user', user.pk)}",
        }
        for each in rows[:MOST_PREVIEWS]
    ]
    return {"links": links, "more": found.count() > MOST_PREVIEWS}


def _given(request: ConsoleRequest, user: User) -> Given:
    """Who gave what, from the trail, for one who may read it; the newest wins."""
    if not request.actor.can(Permission.AUDIT_READ):
        return {}
    wanted = EventFilter(types=GIVEN_BY, target_id=user.pk)
    found: Given = {}
    for event in readable(find_events(request.actor, wanted)[:MOST_GIVEN]):
        payload = event.row.payload
        what = payload.get("role_id") or payload.get("object_id") or payload.get("organization_id") or ""
        key = (event.row.type, str(what), str(payload.get("permission", "")))
        found.setdefault(key, (event.actor_part().text, event.row.occurred_at))
    return found


def _why(given: Given, type_: str, what: UUID | str, permission: str = "") -> dict[str, Any]:
    who, when = given.get((type_, str(what), permission), ("", None))
    return {"by": who, "since": when}


def _role_row(request: ConsoleRequest, row: RoleAssignment, user: User, person_id: str, given: Given) -> dict[str, Any]:
    role = row.role
    taking = reverse("console:role_take", args=[public_id("role", role.pk), person_id]) + "?back=person"
    return {
        **_why(given, "role.assigned", role.pk),
        "title": role_title(role),
        "url": role_url(role),
        "kind": _("Console role") if role.kind == RoleKind.CONSOLE else _("Application role"),
        "scope": scope_of(role),
        "since": row.assigned_at,
        "unmet": [requirement_text(word) for word in unmet_of(role, user)],
        "take_url": taking if may_assign(request.actor, role) else "",
    }


def _grant_rows(grants: list[ObjectGrant], person_id: str, may_take: bool, given: Given) -> list[dict[str, Any]]:
    """An object a row, with a line for each permission on it."""
    rows: dict[str, dict[str, Any]] = {}
    for grant in sorted(grants, key=_place):
        kind, word = grant.content_type.model, grant.permission.codename
        pid = public_id(kind, UUID(grant.object_pk))
        page = f"console:{kind}_access" if kind == APPLICATION else f"console:{kind}_managers"
        row = rows.setdefault(
            pid,
            {
                "kind": _("Application") if kind == APPLICATION else _("Organization"),
                "object": str(grant.content_object),
                "url": reverse(page, args=[pid]),
                "take_url": reverse(f"console:{kind}_manager_take", args=[pid, person_id]) if may_take else "",
                "lines": [],
            },
        )
        why = _why(given, "grant.added", grant.object_pk, word)
        row["lines"].append({**why, "permission": word, "label": label_on(kind, word)})
    return list(rows.values())


def _place(grant: ObjectGrant) -> tuple[str, str, int]:
    kind = grant.content_type.model
    return kind, grant.object_pk, [str(p) for p in GRANTABLE[kind]].index(grant.permission.codename)


def _membership_row(row: Membership, person_id: str, request: ConsoleRequest, given: Given) -> dict[str, Any]:
    organization = row.organization
    may_remove = request.actor.can(Permission.ORGANIZATIONS_WRITE)
    return {
        **_why(given, "membership.added", organization.pk),
        "name": organization.name,
        "url": organization_url(organization),
        "since": row.created_at,
        "remove_url": organization_url(organization, "organization_member_remove", person_id) if may_remove else "",
    }


def _sums(assignments: Iterable[RoleAssignment], grants: Iterable[ObjectGrant]) -> list[dict[str, Any]]:
    """Every permission in this console with where it comes from, in the order of the sidebar."""
    sources: dict[str, list[str]] = {}
    for row in assignments:
        for word in row.role.permissions if row.role.kind == RoleKind.CONSOLE else ():
            sources.setdefault(word, []).append(role_title(row.role))
    for grant in grants:
        where = _("on %(name)s alone") % {"name": grant.content_object}
        sources.setdefault(grant.permission.codename, []).append(where)
    areas = []
    for noun, label, icon in AREAS:
        lines = [
            {"permission": str(p), "label": sentence_case(label_of(p)), "why": ", ".join(sources[p])}
            for p in Permission
            if p.partition(":")[0] == noun and p in sources
        ]
        if lines:
            areas.append({"label": label, "icon": icon, "lines": lines})
    return areas
