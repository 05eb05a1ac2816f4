"""Signing keys that move with their realm to another installation, so that what they signed stays valid."""

import json

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from joserfc.errors import JoseError

from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.crypto import seal, unseal
from identity.kernel.errors import Invalid, PermissionDenied
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.oauth import events, rules, signing
from identity.oauth.models import KeyStatus, SigningKey


@transaction.atomic
def reveal_signing_keys(actor: Actor) -> list[tuple[SigningKey, bytes]]:
    """The keys that verify tokens now, with their private parts, for an export that seals them again.

    Raises PermissionDenied unless the system acts: no person ever sees a private key. Says key.exported for each.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise PermissionDenied(permission=Permission.KEYS_ROTATE)
    out = []
    for key in SigningKey.objects.filter(status__in=(KeyStatus.ACTIVE, KeyStatus.RETIRING)).order_by("id"):
        private = unseal(
            key.private_sealed, realm_id=actor.realm_id, table=signing.TABLE, pk=key.pk, field=signing.FIELD
        )
        record(actor, events.KeyExported(target_id=key.pk, kid=key.kid, alg=key.alg))
        out.append((key, private))
    return out


@transaction.atomic
def import_signing_key(actor: Actor, *, private: bytes, alg: str, status: str) -> SigningKey:
    """Take over a key that another installation made. The one that was active here retires; a known kid is no change.

    private: a JWK with its private part. Raises PermissionDenied, Invalid (field sealed). Says key.created.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise PermissionDenied(permission=Permission.KEYS_ROTATE)
    try:
        kid, public = signing.public_part(json.loads(private), alg)
    except (ValueError, KeyError, TypeError, JoseError) as error:
        raise Invalid(_("This is no signing key."), field="sealed") from error
    known = SigningKey.objects.filter(kid=kid).first()
    if known is not None:
        return known
    now = clock.now()
    if status == KeyStatus.ACTIVE:
        SigningKey.objects.filter(alg=alg, status=KeyStatus.ACTIVE).update(
            status=KeyStatus.RETIRED, retired_at=now, retiring_at=now
        )
    key_id = uuid7()
    key = SigningKey(
        id=key_id,
        kid=kid,
        alg=alg,
        public_jwk=public,
        private_sealed=seal(private, realm_id=actor.realm_id, table=signing.TABLE, pk=key_id, field=signing.FIELD),
        status=status,
        created_at=now,
        activated_at=now,
        retiring_at=now if status == KeyStatus.RETIRING else None,
        retire_after=now + rules.KEY_OVERLAP if status == KeyStatus.RETIRING else None,
    )
    key.save(force_insert=True)
    record(actor, events.KeyCreated(target_id=key.pk, kid=kid, alg=alg, status=status))
    return key
