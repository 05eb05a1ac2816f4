"""The list of organizations and the tabs of one."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.audit.wording import views_of
from console.managers import views as managers
from console.managers.views import Managed, managers_context
from console.organizations.rows import managed_of, member_of, menu_of, organization_url, row_of
from console.savedviews.tabs import open_list
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.lists import ListState, paginate
from console.shell.trail import trail_url
from console.shell.views import ConsoleView
from console.templatetags.rk import relative_time
from identity.access.models import Organization
from identity.access.queries import ORGANIZATION, get_organization, managers_of, memberships, organizations
from identity.audit.queries import events_naming
from identity.audit.reading import readable
from identity.kernel.permissions import Permission

EVENTS_ON_OVERVIEW, EVENTS_ON_TAB = 8, 50
MEMBERS_ON_OVERVIEW = 6
NAMED_IN = {
    "organization_id": ("membership.added", "membership.removed"),
    "object_id": ("grant.added", "grant.removed"),
}
"""Events about a person that name the organization: payload field → types."""


class Organizations(ConsoleView):
    """Those that the actor may see, newest first."""

    permission = Permission.ORGANIZATIONS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        actor = request.actor
        state = ListState(request)
        leave = open_list(request, state, "organizations")
        if leave is not None:
            return leave
        page = paginate(state, organizations(actor, search=state.search), order=("-id",))
        page.rows[:] = [row_of(organization, actor) for organization in page.rows]
        return render_page(
            request,
            "console/organizations/list.html",
            {
                "title": _("Organizations"),
                "lead": _("Groups of people with a name, such as a customer or a department."),
                "state": state,
                "page": page,
                "may_create": actor.can(Permission.ORGANIZATIONS_WRITE),
                "create_url": reverse("console:organization_create"),
            },
            fragment="results",
        )


class OrganizationPage(ConsoleView):
    """What the tabs of an organization share."""

    permission = Permission.ORGANIZATIONS_READ
    tab: ClassVar[str] = "organization"

    def organization(self, request: ConsoleRequest, text: str) -> tuple[Organization, dict[str, Any]]:
        """The organization and the page's head, with the tabs that the actor may open."""
        actor = request.actor
        found = get_organization(actor, organization_id=id_from("organization", text))
        members: int = found.members  # type: ignore[attr-defined]  # annotated by the query
        tabs: list[tuple[str, str, int | None]] = [("organization", _("Overview"), None)]
        may_see_members = actor.can(Permission.USERS_READ, (ORGANIZATION, found.pk))
        if may_see_members:
            tabs.append(("organization_members", _("Members"), members))
        if actor.can(Permission.ROLES_READ):
            tabs.append(("organization_managers", _("Managers"), managers_of(ORGANIZATION, found.pk)))
        if actor.can(Permission.AUDIT_READ):
            tabs.append(("organization_activity", _("Activity"), None))
        return found, {
            "title": found.name,
            "crumb": found.name,
            "organization": found,
            "organization_id": text,
            "members_count": members,
            "meta": ngettext("%(n)s person", "%(n)s people", members) % {"n": members},
            "may_write": actor.can(Permission.ORGANIZATIONS_WRITE),
            "may_add": actor.can(Permission.ORGANIZATIONS_WRITE) and actor.can_somewhere(Permission.USERS_READ),
            "may_see_members": may_see_members,
            "menu": menu_of(found, actor),
            "tabs": [
                {"label": label, "url": organization_url(found, name), "current": name == self.tab, "count": count}
                for name, label, count in tabs
            ],
        }

    @staticmethod
    def events(request: ConsoleRequest, organization: Organization, limit: int) -> list[Any]:
        """The newest events about it and its members' belonging, for one who may read the trail."""
        actor = request.actor
        rows = events_naming(actor, object_id=organization.pk, fields=NAMED_IN, limit=limit)
        return views_of(readable(rows), actor.can)


class Overview(OrganizationPage):
    """What it is, who came last, what happened lately."""

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The first tab."""
        found, context = self.organization(request, public_id)
        actor = request.actor
        if context["may_see_members"]:
            newest = memberships(actor, organization_id=found.pk)[:MEMBERS_ON_OVERVIEW]
            context["newest"] = [member_of(row, found) for row in newest]
        if actor.can(Permission.AUDIT_READ):
            context["events"] = self.events(request, found, EVENTS_ON_OVERVIEW)
        when = {"request": request}
        helpers = managers_of(ORGANIZATION, found.pk) if actor.can(Permission.ROLES_READ) else None
        context["facts"] = [
            {"label": _("Slug"), "value": found.slug, "mono": True},
            {"label": _("People"), "value": context["members_count"]},
            {"label": _("Managers"), "value": helpers},
            {"label": _("Created"), "value": relative_time(when, found.created_at, "date")},  # type: ignore[arg-type]
            {"label": _("Organization ID"), "value": public_id, "to_copy": public_id},
        ]
        return render_page(request, "console/organizations/overview.html", context)


class Members(OrganizationPage):
    """Who belongs to it."""

    tab = "organization_members"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The second tab."""
        found, context = self.organization(request, public_id)
        state = ListState(request)
        rows = memberships(request.actor, organization_id=found.pk, search=state.search)
        page = paginate(state, rows, order=("-id",))
        page.rows[:] = [member_of(row, found) for row in page.rows]
        context |= {"state": state, "page": page}
        fragment = "results" if request.htmx and request.htmx.target == "results" else "panel"
        return render_page(request, "console/organizations/members.html", context, fragment=fragment)


class Managers(OrganizationPage):
    """Who may help here, and with what."""

    tab = "organization_managers"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The third tab."""
        found, context = self.organization(request, public_id)
        request.actor.require(Permission.ROLES_READ)
        context |= managers_context(request.actor, managed_of(found))
        return render_page(request, "console/organizations/managers.html", context)


class Activity(OrganizationPage):
    """What happened to it, and who came and went."""

    tab = "organization_activity"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The last tab."""
        found, context = self.organization(request, public_id)
        request.actor.require(Permission.AUDIT_READ)
        context["events"] = self.events(request, found, EVENTS_ON_TAB)
        context["is_full"] = len(context["events"]) == EVENTS_ON_TAB
        context["trail_url"] = trail_url(request, "organization", found.pk, found.name)
        return render_page(request, "console/organizations/activity.html", context)


class AddManager(managers.AddManager):
    """Let somebody help in this organization."""

    def managed(self, request: ConsoleRequest, public_id: str) -> Managed:
        """The organization of the address."""
        return managed_of(get_organization(request.actor, organization_id=id_from("organization", public_id)))


class TakeFromManager(managers.TakeFromManager):
    """Let somebody help less, or no longer."""

    def managed(self, request: ConsoleRequest, public_id: str) -> Managed:
        """The organization of the address."""
        return managed_of(get_organization(request.actor, organization_id=id_from("organization", public_id)))
