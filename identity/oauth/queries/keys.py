"""Reads of signing keys."""

from uuid import UUID

from django.db.models import QuerySet

from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.oauth.models import KeyStatus, SigningKey
from identity.realms.models import Realm


def signing_keys(actor: Actor) -> QuerySet[SigningKey]:
    """All keys of the realm, newest first, without their private part. Raises PermissionDenied."""
    actor.require(Permission.KEYS_READ)
    return SigningKey.objects.defer("private_sealed").order_by("-id")


def get_signing_key(actor: Actor, *, key_id: UUID) -> SigningKey:
    """One key. Raises PermissionDenied, NotFound."""
    key = signing_keys(actor).filter(pk=key_id).first()
    if key is None:
        raise NotFound
    return key


def former_key(realm: Realm, *, kid: str) -> SigningKey | None:
    """A key by its id in whatever state but withdrawn: an `id_token_hint` may be older than the overlap."""
    return SigningKey.objects.filter(realm=realm, kid=kid).exclude(status=KeyStatus.RETIRED, retire_after=None).first()
