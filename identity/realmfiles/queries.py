"""Writing a realm as a file that applies to an empty database with the same result."""

import re
from typing import Any

from identity.access.models import Membership, ObjectGrant, Organization, Role, RoleAssignment, RoleKind
from identity.access.queries import APPLICATION, ORGANIZATION
from identity.accounts.models import Attribute, User
from identity.accounts.queries import find_attributes
from identity.applications.models import Application, ApplicationStatus, ResourceServer, Scope, UriKind
from identity.applications.queries import uris_of
from identity.courier.models import SmsProvider
from identity.courier.queries import find_sms_providers, secrets_of
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import IdentityProvider, Realm

NEEDED = (
    Permission.APPLICATIONS_READ,
    Permission.ORGANIZATIONS_READ,
    Permission.ROLES_READ,
    Permission.SETTINGS_READ,
    Permission.USERS_READ,
)


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def export_realm(actor: Actor, *, with_secrets: bool = False) -> dict[str, Any]:
    """The actor's realm as plain data in the schema's shape, each list in a stable order.

    Client secrets are never in it: we keep only their hashes (DECISIONS 28). with_secrets adds password hashes.
    Raises PermissionDenied, NotFound.
    """
    for permission in NEEDED:
        actor.require(permission)
    realm = Realm.objects.filter(pk=actor.realm_id).first()
    if realm is None:
        raise NotFound
    managers = _managers(APPLICATION)
    data: dict[str, Any] = {
        "version": 1,
        "realm": _without_empty(
            {
                "slug": realm.slug,
                "name": realm.name,
                "settings": dict(sorted(realm.settings.items())),
                "branding": dict(sorted(realm.branding.items())),
            }
        ),
        "resource_servers": _resource_servers(),
        "scopes": [
            _scope(scope) for scope in Scope.objects.filter(resource_server=None, built_in=False).order_by("name")
        ],
        "applications": [_application(row, managers) for row in _live_applications()],
        "roles": _roles(),
        "attributes": [_attribute(row) for row in find_attributes(actor)],
        "users": _users(with_secrets=with_secrets),
        "organizations": _organizations(),
        "providers": _providers(),
        "sms_providers": [_sms_provider(row) for row in find_sms_providers(actor)],
    }
    return {name: value for name, value in data.items() if value != []}


def _scope(scope: Scope) -> dict[str, Any]:
    return _without_empty(
        {
            "name": scope.name,
            "title": scope.title,
            "description": scope.description,
            "sensitive": scope.sensitive or None,
        }
    )


def _resource_servers() -> list[dict[str, Any]]:
    return [
        _without_empty(
            {
                "identifier": server.identifier,
                "name": server.name,
                "scopes": [_scope(scope) for scope in sorted(server.scopes.all(), key=lambda s: s.name)],
            }
        )
        for server in ResourceServer.objects.prefetch_related("scopes").order_by("identifier")
    ]


def _live_applications() -> list[Application]:
    return list(
        Application.objects.exclude(status=ApplicationStatus.DELETED).select_related("acts_for").order_by("client_id")
    )


def _application(row: Application, managers: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    data = _without_empty(
        {
            "client_id": row.client_id,
            "name": row.name,
            "type": row.type,
            "description": row.description,
            "publisher": row.publisher,
            "homepage_uri": row.homepage_uri,
            "privacy_uri": row.privacy_uri,
            "terms_uri": row.terms_uri,
            "required_acr": row.required_acr,
            "redirect_uris": uris_of(row),
            "post_logout_redirect_uris": uris_of(row, UriKind.POST_LOGOUT),
            "allowed_origins": uris_of(row, UriKind.ORIGIN),
            "acts_for": row.acts_for.identifier if row.acts_for else None,
        }
    )
    return (
        data
        | _without_empty({"managers": managers.get(str(row.pk), [])})
        | {
            "grant_types": list(row.grant_types),
            "scopes": list(row.scopes),
            "token_endpoint_auth_method": row.token_endpoint_auth_method,
            "first_party": row.first_party,
            "skip_consent": row.skip_consent,
        }
    )


def _attribute(row: Attribute) -> dict[str, Any]:
    flags = ("required", "at_sign_up", "person_may_see", "person_may_change")
    data = {"name": row.name, "label": row.label, "type": row.type, "choices": list(row.choices)}
    said = _without_empty({**data, "pattern": row.pattern, "most": row.most, "claim": row.claim, "scope": row.scope})
    return said | {name: getattr(row, name) for name in flags}


def _sms_provider(row: SmsProvider) -> dict[str, Any]:
    """Its secrets as names of variables to set before the file is applied."""
    data: dict[str, Any] = {"name": row.name, "kind": row.kind, "settings": dict(sorted(row.settings.items()))}
    if held := secrets_of(row):
        data["secrets"] = {name: {"env": _variable(row.name, name)} for name in sorted(held)}
    return data if row.enabled else {**data, "enabled": False}


def _variable(*words: str) -> str:
    return "_".join(["SMS", *(re.sub(r"[^A-Z0-9]+", "_", word.upper()).strip("_") for word in words)])


def _roles() -> list[dict[str, Any]]:
    rows = Role.objects.select_related("application").order_by("kind", "name", "id")
    return [
        _without_empty(
            {
                "name": role.name,
                "kind": role.kind,
                "application": role.application.client_id if role.application else None,
                "description": role.description,
                "permissions": sorted(role.permissions)
                if role.kind == RoleKind.CONSOLE and not role.built_in
                else None,
                "requirements": list(role.requirements) or None,
            }
        )
        for role in rows
        # Of a built-in role only what it asks for is the realm's own.
        if (not role.built_in or role.requirements)
        and (role.application is None or role.application.status != ApplicationStatus.DELETED)
    ]


def _key(user: User) -> str:
    """What a file calls a person."""
    return user.key or user.email or user.username or user.phone or ""


def _managers(kind: str) -> dict[str, list[dict[str, Any]]]:
    """Object id → who may do what on it alone, by key."""
    held: dict[str, dict[str, list[str]]] = {}
    rows = ObjectGrant.objects.filter(content_type__model=kind).select_related("user", "permission")
    for grant in rows.order_by("permission__codename"):
        held.setdefault(grant.object_pk, {}).setdefault(_key(grant.user), []).append(grant.permission.codename)
    return {
        pk: [{"user": key, "permissions": words} for key, words in sorted(people.items())]
        for pk, people in held.items()
    }


def _organizations() -> list[dict[str, Any]]:
    members: dict[Any, list[str]] = {}
    for membership in Membership.objects.select_related("user"):
        members.setdefault(membership.organization_id, []).append(_key(membership.user))
    managers = _managers(ORGANIZATION)
    return [
        _without_empty(
            {
                "slug": row.slug,
                "name": row.name,
                "members": sorted(members.get(row.pk, [])),
                "managers": managers.get(str(row.pk), []),
            }
        )
        for row in Organization.objects.order_by("slug")
    ]


def _users(*, with_secrets: bool) -> list[dict[str, Any]]:
    held: dict[Any, list[Role]] = {}
    for assignment in RoleAssignment.objects.select_related("role", "role__application").order_by("role__name"):
        held.setdefault(assignment.user_id, []).append(assignment.role)
    out = []
    for user in User.objects.order_by("id").iterator():
        roles = held.get(user.pk, [])
        out.append(
            _without_empty(
                {
                    "key": _key(user),
                    "email": user.email,
                    "username": user.username,
                    "phone": user.phone,
                    "name": user.name,
                    "email_verified": (user.email_verified_at is not None) or None,
                    "phone_verified": (user.phone_verified_at is not None) or None,
                    "language": user.language,
                    "time_zone": user.time_zone,
                    "password_hash": user.password if with_secrets and user.has_usable_password() else None,
                    "roles": [_held(role) for role in roles if role.kind == RoleKind.APPLICATION],
                    "console_roles": [role.name for role in roles if role.kind == RoleKind.CONSOLE],
                    "attributes": dict(sorted(user.attributes.items())),
                }
            )
        )
    return out


def _providers() -> list[dict[str, Any]]:
    """In their order. A secret is named as the variable that it will be read from, never written."""
    out = []
    for row in IdentityProvider.objects.order_by("position", "pk"):
        data = _without_empty(
            {
                "alias": row.alias,
                "name": row.name,
                "kind": row.kind,
                "client_id": row.client_id,
                "settings": dict(sorted(row.settings.items())),
                "attribute_mapping": dict(sorted(row.attribute_mapping.items())),
                "amr_mapping": dict(sorted(row.amr_mapping.items())),
                "domains": list(row.domains),
            }
        )
        if row.secrets_sealed:
            data["secret"] = {"env": f"PROVIDER_{row.alias.upper().replace('-', '_')}_SECRET"}
        out.append(data | {"scopes": list(row.scopes), "sign_up": row.sign_up, "enabled": row.enabled})
    return out


def _held(role: Role) -> str | dict[str, str]:
    if role.application is None:
        return role.name
    return {"application": role.application.client_id, "role": role.name}
