"""Permissions in words, for refusals and role editors."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity.kernel.permissions import Permission

LABELS: dict[str, Promise] = {
    Permission.ALERTS_ACT: _("act on security alerts"),
    Permission.ALERTS_READ: _("see security alerts"),
    Permission.APPLICATIONS_DELETE: _("delete applications"),
    Permission.APPLICATIONS_READ: _("see applications"),
    Permission.APPLICATIONS_SECRETS: _("add and retire client secrets"),
    Permission.APPLICATIONS_WRITE: _("add and change applications"),
    Permission.AUDIT_EXPORT: _("export the audit trail"),
    Permission.AUDIT_READ: _("read the audit trail"),
    Permission.CONSENTS_READ: _("see consents"),
    Permission.CONSENTS_REVOKE: _("withdraw consents"),
    Permission.CONSOLE_OPEN: _("open the console"),
    Permission.KEYS_READ: _("see signing keys"),
    Permission.KEYS_ROTATE: _("rotate signing keys"),
    Permission.ORGANIZATIONS_READ: _("see organizations"),
    Permission.ORGANIZATIONS_WRITE: _("change organizations"),
    Permission.OWNERS_ASSIGN: _("make and unmake owners"),
    Permission.REALMS_DELETE: _("delete realms"),
    Permission.REALMS_READ: _("see all realms"),
    Permission.REALMS_VISIT: _("visit other realms"),
    Permission.REALMS_WRITE: _("create and suspend realms"),
    Permission.ROLES_ASSIGN: _("give and take roles"),
    Permission.ROLES_READ: _("see roles"),
    Permission.ROLES_WRITE: _("create and change roles"),
    Permission.SESSIONS_END: _("end sessions"),
    Permission.SESSIONS_READ: _("see sessions"),
    Permission.SETTINGS_READ: _("see the realm’s settings"),
    Permission.SETTINGS_WRITE: _("change the realm’s settings"),
    Permission.USERS_DISABLE: _("lock and disable people"),
    Permission.USERS_INVITE: _("invite people"),
    Permission.USERS_READ: _("see people"),
    Permission.USERS_WRITE: _("add and change people"),
}


def label_of(permission: str) -> str:
    """What the permission lets one do, as the end of a sentence; an unknown one is shown as it is spelled."""
    return str(LABELS.get(permission, permission))


def requirement_text(word: str) -> str:
    """What a role asks of its holders, in words."""
    said: dict[str, Promise] = {
        "verified_email": _("a confirmed email address"),
        "verified_phone": _("a confirmed phone number"),
        "second_factor": _("a second factor"),
    }
    return str(said.get(word, word))
