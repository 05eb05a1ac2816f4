"""Ending a pause before its time: by the person with a mailed link, by an admin, and with a new password by a link."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access.queries import require_rank
from identity.accounts.commands.fetching import user_for
from identity.accounts.mails import mail_to
from identity.accounts.models import User
from identity.accounts.queries import country_of_realm, find_user_by_identifier, user_by_id
from identity.accounts.rules import canonical_id
from identity.audit.record import record
from identity.courier.commands import queue_message
from identity.courier.models import Channel
from identity.kernel import clock, ratelimit
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.realms.mount import realm_url
from identity.signin import events, limits
from identity.signin.queries import standing_failures

UNLOCK_WISH = "unlock_wish"
"""The late message that asks for a link that ends a pause (courier.late); `answer_unlock_wish` answers it."""
LIFETIME = timedelta(hours=1)
_ONCE = ratelimit.Limit("unlock-link", 1, 2 * LIFETIME)


def _salt(realm_id: UUID) -> str:
    return f"identity.signin.unlock.{realm_id}"


def wish_for_unlock(  # house: HR03 ending the pause says it
    actor: Actor, *, realm: Realm, identifier: str, device: str = ""
) -> None:
    """Ask for a link that ends a pause. One row, whatever the name; the worker looks who is meant (LG-23)."""
    name = canonical_id(identifier, country_of_realm())
    if not limits.may_mail(name, actor.origin.ip, device=device):
        return
    with transaction.atomic():
        queue_message(
            realm,
            to=name,
            template=UNLOCK_WISH,
            context={"identifier": name, "ip": actor.origin.ip, "own_device": bool(device)},
            channel=Channel.LATE,
        )


def answer_unlock_wish(  # house: HR03 ending the pause says it
    realm: Realm, *, identifier: str, ip: str = "", own_device: bool = False
) -> None:
    """In the worker: mail the link to the person's confirmed address, if there is a pause to end."""
    user = find_user_by_identifier(identifier)
    if user is None or not user.is_active or not user.email_verified or not _paused(user.pk):
        return
    if not limits.may_mail_person(user.pk, ip, own_device=own_device):
        return
    made = int(clock.now().timestamp())
    token = signing.dumps([user.pk.hex, secrets.token_urlsafe(9), made], salt=_salt(realm.pk))
    mail_to(
        realm,
        user,
        "sign_in_unlock",
        {
            "url": realm_url(realm, "account_unlock", token=token),
            "minutes": int(LIFETIME.total_seconds() // 60),
        },
        expires_at=clock.now() + LIFETIME,
    )


def _paused(user_id: UUID) -> bool:
    # The last try that is allowed is at hand as well: who asks now has just met the announcement.
    return any(each.count >= each.limit.count for each in standing_failures(user_id))


def _end(actor: Actor, user: User, by: str) -> None:
    limits.forget(standing_failures(user.pk))
    record(
        actor,
        events.SignInUnlocked(target_id=user.pk, subject_id=user.pk, target_name=user.display_name, by=by),
    )


def use_unlock_link(actor: Actor, *, token: str) -> User:
    """End the pause with a mailed link; it works once. Raises Conflict (link_used). Says signin.unlocked."""
    gone = Conflict(_("This link doesn’t work any more."), code="link_used")
    try:
        user_hex, nonce, made = signing.loads(token, salt=_salt(actor.realm_id))
        is_late = clock.now().timestamp() - int(made) > LIFETIME.total_seconds()
        user = None if is_late else user_by_id(UUID(user_hex))
    except (signing.BadSignature, ValueError, TypeError):
        raise gone from None
    if user is None or not user.is_active:
        raise gone
    with transaction.atomic():
        # Counted in the window in which it was made: else it would serve once more when the next one begins.
        if ratelimit.hit(_ONCE, str(nonce), moment=datetime.fromtimestamp(int(made), UTC)) > 1:
            raise gone
        _end(actor, user, "link")
    return user


@transaction.atomic
def unlock_sign_in(actor: Actor, *, user_id: UUID) -> User:
    """End the pauses of a person, by an admin. Raises NotFound, PermissionDenied, Conflict (there is none).

    Not of a person of higher rank: a help desk that ends an owner's pauses again and again could guess his password
    without end (AC-02). The owner has the mailed link. Says signin.unlocked.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_DISABLE)
    require_rank(actor, user_id=user.pk)
    if not _paused(user.pk):
        raise Conflict(_("Nothing is paused."), code="not_paused")
    _end(actor, user, "admin")
    return user


@transaction.atomic
def end_pauses_after_reset(actor: Actor, *, user_id: UUID) -> None:
    """Who chose a new password with a link has shown who he is: the tries on the old one are forgotten.

    Says signin.unlocked where there was a pause.
    """
    user = user_by_id(user_id)
    if user is not None and _paused(user.pk):
        _end(actor, user, "new_password")
