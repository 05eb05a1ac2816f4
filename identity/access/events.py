"""What happens to roles, grants, organizations and visits. Names of roles and organizations are no personal data."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.access.rules import BUILT_IN_ROLES
from identity.kernel.events import Event, Severity, event, personal

TITLES = {role.name: role.title for role in BUILT_IN_ROLES}
"""Names of built-in roles → what readers call them."""


@event("role.created", target="role", sentence=_("{actor} created the role {name}"))
class RoleCreated(Event):
    """A console or application role exists."""

    words = TITLES

    name: str = ""
    kind: str = ""
    permissions: tuple[str, ...] = ()
    application_id: UUID | None = None


@event(
    "role.permissions_changed",
    target="role",
    sentence=_("{actor} changed what the role {name} allows"),
    severity=Severity.MEDIUM,
)
class RolePermissionsChanged(Event):
    """Everybody who holds it can do more or less from the next request on. `changes` has both lists."""

    words = TITLES

    name: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@event(
    "role.requirements_changed",
    target="role",
    sentence=_("{actor} changed what the role {name} asks of its holders"),
    severity=Severity.MEDIUM,
)
class RoleRequirementsChanged(Event):
    """Holders who don't meet it get nothing from it from the next request on. `changes` has both lists."""

    name: str = ""


@event("role.renamed", target="role", sentence=_("{actor} changed the name or description of the role {name}"))
class RoleRenamed(Event):
    """`changes` has both names and descriptions; an application role's name is what its tokens carry."""

    words = TITLES

    name: str = ""


@event("role.deleted", target="role", sentence=_("{actor} deleted the role {name}, held by {holders} people"))
class RoleDeleted(Event):
    """Nobody holds it any more."""

    words = TITLES

    name: str = ""
    kind: str = ""
    holders: int = 0


@event("role.assigned", target="user", sentence=_("{actor} gave {target} the role {role}"), severity=Severity.MEDIUM)
class RoleAssigned(Event):
    """A person holds a role."""

    words = TITLES

    role_id: UUID | None = None
    role: str = ""
    kind: str = ""


@event(
    "role.unassigned", target="user", sentence=_("{actor} took the role {role} from {target}"), severity=Severity.MEDIUM
)
class RoleUnassigned(Event):
    """A person no longer holds a role."""

    words = TITLES

    role_id: UUID | None = None
    role: str = ""
    kind: str = ""


@event(
    "grant.added",
    target="user",
    sentence=_("{actor} let {target} use {permission} on {object_name}"),
    severity=Severity.MEDIUM,
)
class GrantAdded(Event):
    """A person holds one permission on one application or organization."""

    words = {"": _("a single object")}

    permission: str = ""
    object_kind: str = ""
    object_id: UUID | None = None
    object_name: str = ""


@event("grant.removed", target="user", sentence=_("{actor} took {permission} on {object_name} from {target}"))
class GrantRemoved(Event):
    """A person no longer holds that permission there."""

    words = {"": _("a single object")}

    permission: str = ""
    object_kind: str = ""
    object_id: UUID | None = None
    object_name: str = ""


@event("organization.created", target="organization", sentence=_("{actor} created the organization {name}"))
class OrganizationCreated(Event):
    """A group of people with a name exists."""

    name: str = ""
    slug: str = ""


@event("organization.renamed", target="organization", sentence=_("{actor} renamed the organization {name}"))
class OrganizationRenamed(Event):
    """`changes` has both names; the slug stays."""

    name: str = ""


@event(
    "organization.deleted",
    target="organization",
    sentence=_("{actor} deleted the organization {name} with {members} members"),
    severity=Severity.MEDIUM,
)
class OrganizationDeleted(Event):
    """Its memberships, and what was granted on it, are gone; the people stay."""

    name: str = ""
    members: int = 0
    grants: int = 0


@event("membership.added", target="user", sentence=_("{actor} added {target} to {organization}"))
class MembershipAdded(Event):
    """A person belongs to an organization."""

    organization_id: UUID | None = None
    organization: str = ""


@event("membership.removed", target="user", sentence=_("{actor} removed {target} from {organization}"))
class MembershipRemoved(Event):
    """A person no longer belongs to an organization."""

    organization_id: UUID | None = None
    organization: str = ""


@event(
    "visit.opened",
    target="realm",
    sentence=_("{actor} entered the console for {minutes} min: {reason}"),
    severity=Severity.HIGH,
)
class VisitOpened(Event):
    """An operator of the platform is in this realm's console (DECISIONS 20, AC-16)."""

    reason: str = personal()
    minutes: int = 0


@event("visit.ended", target="realm", sentence=_("{actor} left the console ({how})"))
class VisitEnded(Event):
    """The operator is out again: by `button`, `timer`, `sign_out`, `another_visit` or `access_lost`."""

    words = {
        "another_visit": _("another visit began"),
        "button": _("by the button"),
        "sign_out": _("signed out"),
        "timer": _("the time was over"),
    }

    how: str = "button"
