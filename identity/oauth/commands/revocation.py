"""Ending what was issued: refresh families by their state, access tokens by a denylist."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from identity.accounts.models import User
from identity.applications.models import Application
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.oauth import events
from identity.oauth.models import FamilyStatus, Grant, RefreshFamily, TokenDenial
from identity.realms.models import Realm


def _end(family_id: UUID | None, *, reason: str, by: UUID | None, now: datetime) -> bool:
    """Whether this call ended it: of two at once, one says the event."""
    if family_id is None:
        return False
    return bool(
        RefreshFamily.objects.filter(pk=family_id, status=FamilyStatus.ACTIVE).update(
            status=FamilyStatus.REVOKED, status_changed_at=now, status_by=by, end_reason=reason
        )
    )


def _deny(jti: UUID | None, *, until: datetime, now: datetime) -> bool:
    """Whether it was not denied before."""
    if jti is None or TokenDenial.objects.filter(jti=jti).exists():
        return False
    TokenDenial.objects.bulk_create([TokenDenial(jti=jti, created_at=now, expires_at=until)], ignore_conflicts=True)
    return True


def _longest(realm: Realm, now: datetime) -> datetime:
    return now + timedelta(seconds=realm.setting("access_token_lifetime"))


@transaction.atomic
def revoke_family(actor: Actor, *, family_id: UUID, reason: str = "revoked") -> RefreshFamily:
    """End one authorization's refresh tokens: one's own, or with sessions:end. Raises NotFound, PermissionDenied.

    Says family.revoked, unless it had ended before.
    """
    family = for_write(RefreshFamily.objects.select_related("user", "application").filter(pk=family_id)).first()
    if family is None:
        raise NotFound
    if not (actor.is_person and actor.id == family.user_id and actor.home_realm_id == family.realm_id):
        if not actor.can(Permission.SESSIONS_READ):
            raise NotFound
        actor.require(Permission.SESSIONS_END)
    if _end(family.pk, reason=reason, by=actor.id, now=clock.now()):
        record(
            actor,
            events.FamilyRevoked(
                target_id=family.user_id,
                subject_id=family.user_id,
                target_name=family.user.display_name,
                application_id=family.application_id,
                name=family.application.name,
                family_id=family.pk,
                reason=reason,
            ),
        )
    return family


@transaction.atomic
def revoke_by_client(
    actor: Actor,
    *,
    application: Application,
    token_type: str,
    jti: UUID | None = None,
    expires_at: datetime | None = None,
    family_id: UUID | None = None,
    user_id: UUID | None = None,
) -> None:
    """What a client asks for at the revocation endpoint (RFC 7009): the token and its whole family (OA-16).

    Says token.revoked, if anything changed.
    """
    now = clock.now()
    ended = _end(family_id, reason="revoked_by_client", by=application.pk, now=now)
    denied = expires_at is not None and _deny(jti, until=expires_at, now=now)
    if ended or denied:
        record(
            actor,
            events.TokenRevoked(
                target_id=application.pk,
                name=application.name,
                token_type=token_type,
                jti=jti,
                user_id=user_id,
                family_id=family_id,
            ),
            on_behalf_of=user_id,
        )


@transaction.atomic
def punish_replay(actor: Actor, *, realm: Realm, application: Application, grant: Grant, user: User) -> None:
    """A code came twice: revoke what its first use gave (OA-05; RFC 6749, 4.1.2). Says code.replayed, once.

    The family has the code's own id.
    """
    now = clock.now()
    ended = _end(grant.pk, reason="code_replayed", by=None, now=now)
    denied = _deny(grant.issued_jti, until=_longest(realm, now), now=now)
    if ended or denied:
        record(
            actor,
            events.CodeReplayed(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                application_id=application.pk,
                name=application.name,
                family_id=grant.pk,
            ),
            on_behalf_of=user.pk,
        )


@transaction.atomic
def punish_reuse(actor: Actor, *, application: Application, family: RefreshFamily, user: User, generation: int) -> None:
    """A rotated refresh token came again: end the family (OA-13; RFC 9700, 4.14.2). Says refresh.reused, once."""
    if _end(family.pk, reason="refresh_reused", by=None, now=clock.now()):
        record(
            actor,
            events.RefreshReused(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                application_id=application.pk,
                name=application.name,
                family_id=family.pk,
                generation=generation,
            ),
            on_behalf_of=user.pk,
        )
