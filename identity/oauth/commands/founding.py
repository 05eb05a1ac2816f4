"""Founding a realm: everything that a realm needs before its first person signs in, in one transaction."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from identity.access.commands import ensure_built_in_roles
from identity.access.queries import find_role
from identity.access.rules import OWNER
from identity.accounts.commands import invite_user
from identity.applications.commands import ensure_built_in_scopes
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.permissions import REALM_PERMISSIONS
from identity.oauth.commands.keys import ensure_signing_keys
from identity.realms.commands import create_realm
from identity.realms.models import Realm


@transaction.atomic
def found_realm(
    actor: Actor,
    *,
    slug: str,
    name: str,
    settings: Mapping[str, Any] | None = None,
    branding: Mapping[str, Any] | None = None,
    owner_email: str = "",
    owner_name: str = "",
) -> Realm:
    """A realm with its built-in roles and scopes and a signing key; its first owner is invited by mail.

    Stands here because a signing key is the last thing that a realm needs. Raises PermissionDenied, Invalid (slug,
    name, a setting, or owner_email). Says what the commands say: realm.created and user.invited; and out of the feed,
    since it is all the making of one realm, role.created, scope.created and so on.
    """
    realm = create_realm(actor, slug=slug, name=name, settings=settings, branding=branding)
    with realm_scope(realm):
        system = system_actor(realm.pk, request_id=actor.request_id, provisioning=True)
        ensure_built_in_roles(system)
        ensure_built_in_scopes(system)
        ensure_signing_keys(system)
        if owner_email:
            _invite_owner(actor, realm, owner_email, owner_name)
    return realm


def _invite_owner(actor: Actor, realm: Realm, email: str, name: str) -> None:
    owner = find_role("console", OWNER)
    if owner is None:
        raise NotFound
    # The operator, as the new realm's trail shows him. He may do there what a visit would let him do.
    inside = replace(
        actor,
        kind=actor.kind if actor.kind is ActorKind.SYSTEM else ActorKind.OPERATOR,
        realm_id=realm.pk,
        home_realm_id=actor.realm_id,
        permissions=REALM_PERMISSIONS,
        object_permissions=frozenset(),
    )
    try:
        invite_user(inside, email=email, name=name, role_ids=[owner.pk])
    except Invalid as error:
        raise Invalid(error.message, field=f"owner_{error.field}" if error.field else None, code=error.reason)
