"""Adding people to an organization and removing them."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from console.organizations.rows import organization_url
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.users.picker import asks_for_matches, matches
from identity.access.commands import add_member, remove_member
from identity.access.models import Organization
from identity.access.queries import ORGANIZATION, get_organization, managers_of, members_among, organization_scopes
from identity.accounts.queries import get_user
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission


class AddMember(ConsoleView):
    """A person belongs to it from now on."""

    permission = Permission.ORGANIZATIONS_WRITE

    @staticmethod
    def _of_address(request: ConsoleRequest, public_id: str) -> Organization:
        found = get_organization(request.actor, organization_id=id_from("organization", public_id))
        request.actor.require(Permission.ORGANIZATIONS_WRITE)
        return found

    def _dialog(self, request: ConsoleRequest, found: Organization, error: str = "", status: int = 200) -> HttpResponse:
        term = (request.POST.get("q") or request.GET.get("q", "")).strip()
        context = {
            "title": _("Add a person"),
            "crumb": found.name,
            "organization": found,
            "managers": managers_of(ORGANIZATION, found.pk),
            "term": term,
            "chosen": request.POST.get("user", ""),
            "matches": matches(
                request.actor, term, among=partial(members_among, found.pk), taken=_("belongs to it already")
            ),
            "error": error,
            "action": organization_url(found, "organization_member_add"),
            "cancel_url": organization_url(found, "organization_members"),
        }
        if asks_for_matches(request):
            return render(request, "console/users/_matches.html", context)
        return render_dialog(request, "console/organizations/member_add.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks whom, or answers the search."""
        return self._dialog(request, self._of_address(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Adds."""
        found = self._of_address(request, public_id)
        chosen = request.POST.get("user", "")
        if not chosen:
            return self._dialog(request, found, _("Choose a person."), 422)
        user = get_user(request.actor, user_id=id_from("user", chosen))
        add_member(request.actor, organization_id=found.pk, user_id=user.pk)
        text = _("%(person)s belongs to %(name)s now.") % {"person": user.display_name, "name": found.name}
        url = organization_url(found, "organization_members")
        return redirect_after(request, url, with_trail(request, text, user.pk, name=user.display_name))


class RemoveMember(ConsoleView):
    """A person no longer belongs to it."""

    permission = Permission.ORGANIZATIONS_WRITE

    def _context(self, request: ConsoleRequest, public_id: str, user_id: str) -> dict[str, Any]:
        """The organization and its member. Raises NotFound when the person does not belong to it."""
        found = get_organization(request.actor, organization_id=id_from("organization", public_id))
        request.actor.require(Permission.ORGANIZATIONS_WRITE)
        user = get_user(request.actor, user_id=id_from("user", user_id))
        if not members_among(found.pk, [user.pk]):
            raise NotFound
        return {"organization": found, "person": user}

    def get(self, request: ConsoleRequest, public_id: str, user_id: str) -> HttpResponse:
        """Asks, with what it hits."""
        context = self._context(request, public_id, user_id)
        found, user = context["organization"], context["person"]
        context["effects"] = [
            {
                "icon": "visibility_off",
                "label": _("Managers who can help this person no longer"),
                "count": managers_of(ORGANIZATION, found.pk),
                "note": _("those with a role on the whole realm still can"),
            },
            {
                "icon": "apartment",
                "label": _("Other organizations that stay"),
                "count": len(organization_scopes(user.pk)) - 1,
                "note": "",
            },
        ]
        context |= {
            "title": _("Remove person"),
            "crumb": found.name,
            "action": request.path,
            "cancel_url": organization_url(found, "organization_members"),
            "danger": True,
        }
        return render_dialog(request, "console/organizations/member_remove.html", context)

    def post(self, request: ConsoleRequest, public_id: str, user_id: str) -> HttpResponse:
        """Removes."""
        context = self._context(request, public_id, user_id)
        found, user = context["organization"], context["person"]
        remove_member(request.actor, organization_id=found.pk, user_id=user.pk)
        text = _("%(person)s no longer belongs to %(name)s.") % {"person": user.display_name, "name": found.name}
        url = organization_url(found, "organization_members")
        return redirect_after(request, url, with_trail(request, text, user.pk, name=user.display_name))
