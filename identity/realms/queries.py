"""Reads of realms. Realms are the walls, so most callers get theirs from the mount instead."""

import json
from typing import cast
from uuid import UUID

from django.db.models import QuerySet

from identity.kernel.actor import Actor
from identity.kernel.crypto import unseal
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import PLATFORM_SLUG, IdentityProvider, Realm


def get_realm(slug: str) -> Realm:
    """The realm with this slug, in whatever state. Raises NotFound. For commands of the system and of operators."""
    realm = Realm.objects.filter(slug=slug).first()
    if realm is None:
        raise NotFound
    return realm


def platform_realm() -> Realm | None:
    """The realm of the operators, or None before it was made."""
    return Realm.objects.filter(slug=PLATFORM_SLUG).first()


def get_realm_as_operator(actor: Actor, *, realm_id: UUID) -> Realm:
    """Any realm, for an operator in `platform`. Raises NotFound, PermissionDenied."""
    actor.require(Permission.REALMS_READ)
    realm = Realm.objects.filter(pk=realm_id).first()
    if realm is None:
        raise NotFound
    return realm


def list_realms(actor: Actor, *, search: str = "", status: str = "") -> QuerySet[Realm]:
    """All realms, newest first, for an operator. Raises PermissionDenied."""
    actor.require(Permission.REALMS_READ)
    rows = Realm.objects.filter(purged_at=None).order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(slug__icontains=search)
    return rows


PROVIDER_TABLE = "identity_identityprovider"
SECRETS_FIELD = "secrets_sealed"


def provider_key(provider: IdentityProvider) -> str:
    """What allauth knows a provider by. With the realm in it, the same subject in two realms is two people (TI-01)."""
    return f"{provider.realm_id}~{provider.alias}"


def enabled_providers() -> QuerySet[IdentityProvider]:
    """The ways in through others of the realm of the moment, in the order of their buttons. For the door."""
    return IdentityProvider.objects.filter(enabled=True).order_by("position", "pk")


def enabled_provider(alias: str) -> IdentityProvider:
    """One of them by its name in links. Raises NotFound."""
    provider = IdentityProvider.objects.filter(enabled=True, alias=alias).first()
    if provider is None:
        raise NotFound
    return provider


def find_providers(actor: Actor) -> QuerySet[IdentityProvider]:
    """All of them, in their order. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    return IdentityProvider.objects.order_by("position", "pk")


def get_provider(actor: Actor, *, alias: str) -> IdentityProvider:
    """One by its name in links. Raises PermissionDenied, NotFound."""
    provider = find_providers(actor).filter(alias=alias).first()
    if provider is None:
        raise NotFound
    return provider


def secrets_of(provider: IdentityProvider) -> dict[str, str]:
    """What lies sealed, for asking the provider and for nothing else. Raises SealBroken."""
    if not provider.secrets_sealed:
        return {}
    opened = unseal(
        provider.secrets_sealed,
        realm_id=cast(UUID, provider.realm_id),
        table=PROVIDER_TABLE,
        pk=provider.pk,
        field=SECRETS_FIELD,
    )
    found: dict[str, str] = json.loads(opened)
    return found
