"""Writes of signing keys: made ahead, published before they sign, and for as long as what they signed may live."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import seal
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.oauth import events, rules, signing
from identity.oauth.models import KeyStatus, SigningKey
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True)
class _Made:
    kid: str
    alg: str
    public: dict[str, object]
    private: bytes


def _make(alg: str) -> _Made:
    """Outside the transaction: an RSA key takes long enough to keep every other writer of SQLite waiting."""
    if alg not in signing.ALGORITHMS:
        raise Invalid(_("Choose ES256 or RS256."), field="alg")
    kid, public, private = signing.new_key(alg)
    return _Made(kid, alg, public, private)


def _store(actor: Actor, made: _Made, status: KeyStatus) -> SigningKey:
    key_id, now = uuid7(), clock.now()
    key = SigningKey(
        id=key_id,
        kid=made.kid,
        alg=made.alg,
        public_jwk=made.public,
        private_sealed=seal(made.private, realm_id=actor.realm_id, table=signing.TABLE, pk=key_id, field=signing.FIELD),
        status=status,
        created_at=now,
        activated_at=now if status is KeyStatus.ACTIVE else None,
    )
    key.save(force_insert=True)
    record(actor, events.KeyCreated(target_id=key.pk, kid=key.kid, alg=key.alg, status=status.value))
    return key


def _locked_realm(actor: Actor) -> Realm:
    """The realm's row, locked: two rotations, or a rotation and a first key, take turns."""
    return for_write(Realm.objects.filter(pk=actor.realm_id)).get()


def _of(alg: str, status: KeyStatus) -> SigningKey | None:
    return SigningKey.objects.filter(alg=alg, status=status).order_by("id").first()


def ensure_signing_keys(actor: Actor) -> SigningKey:
    """The key that signs with the realm's algorithm, and the next one beside it; made if they are not there.

    Raises PermissionDenied. Says key.created for each that is made.
    """
    actor.require(Permission.KEYS_ROTATE)
    alg = str(Realm.objects.get(pk=actor.realm_id).setting("signing_algorithm"))
    active, has_next = _pair(alg)
    if active is not None and has_next:
        return active
    spare = [_make(alg), _make(alg)]
    with transaction.atomic():
        _locked_realm(actor)
        active, has_next = _pair(alg)
        active = active or _store(actor, spare.pop(), KeyStatus.ACTIVE)
        if not has_next:
            _store(actor, spare.pop(), KeyStatus.NEXT)
    return active


def _pair(alg: str) -> tuple[SigningKey | None, bool]:
    """The key that signs, and whether the next one is there; one query."""
    there = SigningKey.objects.filter(alg=alg, status__in=[KeyStatus.ACTIVE, KeyStatus.NEXT]).order_by("id")
    active = next((key for key in there if key.status == KeyStatus.ACTIVE), None)
    return active, any(key.status == KeyStatus.NEXT for key in there)


def rotate_signing_key(actor: Actor, *, alg: str | None = None, withdraw_former: bool = False) -> SigningKey:
    """Let the next key sign, and publish a new next one.

    The former key stays published until everything that it signed has expired (OA-23). withdraw_former: it is
    compromised, so it is taken back at once and all that it signed is refused from now on. Raises PermissionDenied,
    Invalid (alg), Conflict (there is nothing to rotate). Says key.rotated and key.created.
    """
    actor.require(Permission.KEYS_ROTATE)
    alg = alg or str(Realm.objects.get(pk=actor.realm_id).setting("signing_algorithm"))
    made = [_make(alg), _make(alg)]
    now = clock.now()
    with transaction.atomic():
        _locked_realm(actor)
        former = _of(alg, KeyStatus.ACTIVE)
        if former is None:
            raise Conflict(_("No key of this kind signs in this realm."), code="no_active_key")
        _end(former, now_withdrawn=withdraw_former)
        active = _of(alg, KeyStatus.NEXT)
        if active is None:
            active = _store(actor, made.pop(), KeyStatus.ACTIVE)
        else:
            active.status, active.activated_at = KeyStatus.ACTIVE, now
            active.save(update_fields=["status", "activated_at"])
        _store(actor, made.pop(), KeyStatus.NEXT)
        record(
            actor,
            events.KeyRotated(
                target_id=active.pk, kid=active.kid, alg=alg, former_kid=former.kid, withdrawn=withdraw_former
            ),
        )
    return active


def _end(former: SigningKey, *, now_withdrawn: bool) -> None:
    now = clock.now()
    former.retiring_at = now
    if now_withdrawn:
        # Without an overlap: `queries.keys.former_key` does not trust it even for hints.
        former.status, former.retired_at = KeyStatus.RETIRED, now
    else:
        former.status, former.retire_after = KeyStatus.RETIRING, now + rules.KEY_OVERLAP
    former.save(update_fields=["status", "retiring_at", "retire_after", "retired_at"])


@transaction.atomic
def retire_due_keys(actor: Actor) -> list[UUID]:
    """Mark former keys whose overlap is over. Raises PermissionDenied. Says key.retired for each."""
    actor.require(Permission.KEYS_ROTATE)
    due = list(for_write(SigningKey.objects.filter(status=KeyStatus.RETIRING, retire_after__lte=clock.now())))
    for key in due:
        key.status, key.retired_at = KeyStatus.RETIRED, clock.now()
        key.save(update_fields=["status", "retired_at"])
        record(actor, events.KeyRetired(target_id=key.pk, kid=key.kid, alg=key.alg))
    return [key.pk for key in due]
