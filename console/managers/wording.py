"""Permissions on a single object, in words that say what they mean there."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.roles.matrix import sentence_case
from console.shell.permissions import label_of
from identity.access.queries import APPLICATION, ORGANIZATION
from identity.kernel.permissions import Permission

LABELS: dict[tuple[str, str], Promise] = {
    (APPLICATION, Permission.APPLICATIONS_READ): _("See it and its settings"),
    (APPLICATION, Permission.APPLICATIONS_WRITE): _("Change, disable and enable it"),
    (APPLICATION, Permission.APPLICATIONS_SECRETS): _("Add and retire its client secrets"),
    (APPLICATION, Permission.CONSENTS_READ): _("See what people allow it"),
    (APPLICATION, Permission.SESSIONS_READ): _("See the sessions in which it is used"),
    (APPLICATION, Permission.ROLES_ASSIGN): _("Give and take its roles"),
    (ORGANIZATION, Permission.USERS_READ): _("See its members"),
    (ORGANIZATION, Permission.USERS_WRITE): _("Change its members’ accounts"),
    (ORGANIZATION, Permission.USERS_INVITE): _("Send its members’ invitations again"),
    (ORGANIZATION, Permission.USERS_DISABLE): _("Lock and disable its members"),
    (ORGANIZATION, Permission.SESSIONS_READ): _("See its members’ sessions"),
    (ORGANIZATION, Permission.SESSIONS_END): _("End its members’ sessions"),
    (ORGANIZATION, Permission.ORGANIZATIONS_READ): _("See the organization itself"),
}

USUAL: dict[str, frozenset[str]] = {
    APPLICATION: frozenset({Permission.APPLICATIONS_READ}),
    ORGANIZATION: frozenset({Permission.ORGANIZATIONS_READ, Permission.USERS_READ}),
}
"""What is ticked beforehand: without it the rest opens no page."""


def label_on(kind: str, permission: str) -> str:
    """What a permission lets one do on an object of this kind."""
    text = LABELS.get((kind, permission))
    return str(text) if text else sentence_case(label_of(permission))
