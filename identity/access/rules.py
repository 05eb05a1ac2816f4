"""Pure decisions about who may hold, give and take what; the built-in roles."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid
from identity.kernel.permissions import PLATFORM_ONLY, REALM_PERMISSIONS, Permission

P = Permission

OWNER = "Owner"
"""The role that the last-owner rule watches over."""

VISIT_MINUTES = 60
"""The most minutes that an operator's visit lasts (DECISIONS 20)."""

MAX_NAME, MAX_DESCRIPTION, MAX_REASON = 100, 300, 300
SHORTEST_REASON = 4


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    """A console role that every realm has and nobody edits. The stored name is the English one."""

    name: str
    title: Promise
    description: Promise
    permissions: frozenset[Permission]
    platform_permissions: frozenset[Permission] = frozenset()

    def held(self, *, platform: bool) -> frozenset[Permission]:
        """What it holds in the operators' realm, or in any other."""
        return self.permissions | self.platform_permissions if platform else self.permissions


_READ = frozenset(p for p in REALM_PERMISSIONS if p.endswith(":read"))

BUILT_IN_ROLES: tuple[BuiltInRole, ...] = (
    BuiltInRole(
        OWNER, _("Owner"), _("Everything, and the only role that makes owners."), REALM_PERMISSIONS, PLATFORM_ONLY
    ),
    BuiltInRole(
        "Admin",
        _("Admin"),
        _("Everything but making and unmaking owners."),
        REALM_PERMISSIONS - {P.OWNERS_ASSIGN},
    ),
    BuiltInRole(
        "Application manager",
        _("Application manager"),
        _("Adds, sets up and deletes applications and their secrets."),
        frozenset(
            {
                P.CONSOLE_OPEN,
                P.APPLICATIONS_READ,
                P.APPLICATIONS_WRITE,
                P.APPLICATIONS_SECRETS,
                P.APPLICATIONS_DELETE,
                P.CONSENTS_READ,
                P.KEYS_READ,
                P.ROLES_READ,
            }
        ),
    ),
    BuiltInRole(
        "Help desk",
        _("Help desk"),
        _("Invites people, helps them back in, ends their sessions."),
        frozenset(
            {
                P.CONSOLE_OPEN,
                P.USERS_READ,
                P.USERS_WRITE,
                P.USERS_INVITE,
                P.USERS_DISABLE,
                P.SESSIONS_READ,
                P.SESSIONS_END,
                P.CONSENTS_READ,
                P.CONSENTS_REVOKE,
                P.ORGANIZATIONS_READ,
                P.ROLES_READ,
            }
        ),
    ),
    BuiltInRole(
        "Security analyst",
        _("Security analyst"),
        _("Acts on alerts: reads the trail, locks people, ends sessions."),
        frozenset(
            {
                P.CONSOLE_OPEN,
                P.ALERTS_READ,
                P.ALERTS_ACT,
                P.AUDIT_READ,
                P.AUDIT_EXPORT,
                P.USERS_READ,
                P.USERS_DISABLE,
                P.SESSIONS_READ,
                P.SESSIONS_END,
                P.CONSENTS_READ,
                P.CONSENTS_REVOKE,
                P.APPLICATIONS_READ,
                P.KEYS_READ,
                P.ROLES_READ,
            }
        ),
    ),
    BuiltInRole(
        "Auditor",
        _("Auditor"),
        _("Sees everything and exports the trail; changes nothing."),
        _READ | {P.CONSOLE_OPEN, P.AUDIT_EXPORT},
    ),
)

OPERATOR_ROLE = BuiltInRole(
    "Operator",
    _("Operator"),
    _("Creates, suspends and enters realms."),
    frozenset({P.CONSOLE_OPEN}),
    PLATFORM_ONLY | {P.AUDIT_READ},
)
"""Only in the realm `platform`."""


def built_in_roles(*, platform: bool) -> tuple[BuiltInRole, ...]:
    """The built-in roles of a realm."""
    return (*BUILT_IN_ROLES, OPERATOR_ROLE) if platform else BUILT_IN_ROLES


def built_in_role(name: str) -> BuiltInRole | None:
    """The definition of a built-in role, for its title and description in the reader's language."""
    return next((role for role in (*BUILT_IN_ROLES, OPERATOR_ROLE) if role.name == name), None)


def rank_of_role(name: str) -> int:
    """Where a built-in role stands in their order, the mightiest first; all others come after."""
    names = [role.name for role in (*BUILT_IN_ROLES, OPERATOR_ROLE)]
    return names.index(name) if name in names else len(names)


def effective_permissions(stored: Iterable[Collection[str]], *, platform: bool) -> frozenset[Permission]:
    """What console roles with these stored permissions give together.

    Unknown words (of a newer version) give nothing. PLATFORM_ONLY gives nothing outside `platform`, however it may have
    got into the row: no admin of a realm becomes an operator by a forged role (AC-01).
    """
    words = {word for permissions in stored for word in permissions}
    held = frozenset(permission for permission in Permission if permission in words)
    return held if platform else held - PLATFORM_ONLY


def checked_permissions(words: Iterable[str], *, platform: bool) -> frozenset[Permission]:
    """The permissions that a role can hold in this realm. Raises Invalid (field permissions) (AC-01)."""
    asked = set(words)
    known = frozenset(permission for permission in Permission if permission in asked)
    if len(known) != len(asked):
        raise Invalid(_("There is no such permission."), field="permissions")
    if not platform and known & PLATFORM_ONLY:
        raise Invalid(
            _("Permissions on realms exist only in the platform’s own realm."),
            field="permissions",
            code="platform_only",
        )
    return known


def stored_permissions(permissions: Iterable[Permission]) -> list[str]:
    """The one stored spelling: sorted words, so that equal sets are equal rows. A role always opens the console."""
    return sorted({str(permission) for permission in permissions} | {str(Permission.CONSOLE_OPEN)})


REQUIREMENTS = ("verified_email", "verified_phone", "second_factor")
"""What a person can be asked to have shown before a role yields anything, in the order that pages say it."""


def unmet_requirements(
    requirements: Iterable[str], *, verified_email: object, verified_phone: object, second_factor: object
) -> list[str]:
    """Which of a role's requirements the person doesn't meet: each fact is a moment, or None when it never happened.

    A word that this version doesn't know is never met: a role of a newer version opens nothing by accident.
    """
    facts = {"verified_email": verified_email, "verified_phone": verified_phone, "second_factor": second_factor}
    return [word for word in dict.fromkeys(requirements) if facts.get(word) is None]


def checked_requirements(words: Iterable[str]) -> list[str]:
    """Requirements in their one stored order. Raises Invalid (field requirements)."""
    asked = set(words)
    if asked - set(REQUIREMENTS):
        raise Invalid(_("There is no such requirement."), field="requirements")
    return [word for word in REQUIREMENTS if word in asked]


def missing_to_grant(held: Collection[Permission], granted: Iterable[Permission]) -> list[Permission]:
    """What the giver would need and does not hold; empty means that he may (AC-02)."""
    return sorted(set(granted) - set(held))


def checked_role_name(name: str) -> str:
    """A role's name, in one spelling. Raises Invalid (field name)."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Invalid(_("Give the role a name of up to 100 characters."), field="name")
    return name


def checked_organization_name(name: str) -> str:
    """An organization's name. Raises Invalid (field name)."""
    name = " ".join(name.split())
    if not name or len(name) > 200 or not name.isprintable():
        raise Invalid(_("Give the organization a name of up to 200 characters."), field="name")
    return name


def checked_description(text: str) -> str:
    """One line about a role. Raises Invalid (field description)."""
    text = " ".join(text.split())
    if len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise Invalid(_("Use up to 300 characters."), field="description")
    return text


def checked_reason(text: str) -> str:
    """Why an operator enters a realm; its admins read it. Raises Invalid (field reason)."""
    text = " ".join(text.split())
    if not SHORTEST_REASON <= len(text) <= MAX_REASON or not text.isprintable():
        raise Invalid(_("Say why, in up to 300 characters: the realm’s admins read it."), field="reason")
    return text


def checked_visit_length(minutes: int) -> timedelta:
    """How long a visit lasts, at most an hour. Raises Invalid (field minutes)."""
    if not 1 <= minutes <= VISIT_MINUTES:
        raise Invalid(_("A visit lasts between 1 and 60 minutes."), field="minutes")
    return timedelta(minutes=minutes)
