"""Organizations and their members as pages show them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.managers.views import Managed
from identity.access.models import Membership, Organization
from identity.access.queries import ORGANIZATION
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


def organization_url(organization: Organization, name: str = "organization", *args: Any) -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[public_id("organization", organization.pk), *args])


def managed_of(organization: Organization) -> Managed:
    """It as an object that people manage."""
    return Managed(
        kind=ORGANIZATION,
        pk=organization.pk,
        name=organization.name,
        page_url=organization_url(organization, "organization_managers"),
        add_url=organization_url(organization, "organization_manager_add"),
        take_url=lambda user_id: organization_url(organization, "organization_manager_take", user_id),
    )


@dataclass(frozen=True)
class OrganizationRow:
    """A row of the list."""

    organization: Organization
    public_id: str
    url: str
    members: int
    menu: list[dict[str, Any]] = field(default_factory=list)


def menu_of(organization: Organization, actor: Actor) -> list[dict[str, Any]]:
    """What the commands allow, deletion last."""
    if not actor.can(Permission.ORGANIZATIONS_WRITE):
        return []
    return [
        {
            "label": _("Rename…"),
            "url": organization_url(organization, "organization_edit"),
            "icon": "edit",
            "dialog": True,
        },
        {"divider": True},
        {
            "label": _("Delete…"),
            "url": organization_url(organization, "organization_delete"),
            "icon": "delete",
            "danger": True,
            "dialog": True,
        },
    ]


def row_of(organization: Organization, actor: Actor) -> OrganizationRow:
    """What the list shows of an organization."""
    menu = menu_of(organization, actor)
    opening = {"label": _("Open"), "url": organization_url(organization), "icon": "apartment"}
    return OrganizationRow(
        organization=organization,
        public_id=public_id("organization", organization.pk),
        url=organization_url(organization),
        members=getattr(organization, "members", 0),
        menu=[opening, *menu],
    )


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person who belongs to it."""

    person: str
    email: str
    url: str
    remove_url: str
    since: datetime


def member_of(membership: Membership, organization: Organization) -> MemberRow:
    """What the members' tab shows of one."""
    user = membership.user
    user_id = public_id("user", user.pk)
    return MemberRow(
        person=user.display_name,
        email=user.email or user.username or user.phone or "",
        url=reverse("console:user", args=[user_id]),
        remove_url=organization_url(organization, "organization_member_remove", user_id),
        since=membership.created_at,
    )
