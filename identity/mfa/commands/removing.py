"""Removing factors, by their person or all of them by an admin; grace before one is demanded."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access.queries import is_last_owner, require_rank
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import locked_user, realm_of, user_for
from identity.audit.queries import count_failures
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.mfa import events, queries
from identity.mfa.commands.keeping import end_trust, event_fields, note_removed, own_user
from identity.mfa.errors import LastFactor
from identity.mfa.mails import mail_factors_reset
from identity.mfa.models import AuthenticatorDevice, FactorKind, MessageDevice
from identity.mfa.rules import MAX_FACTORS
from identity.realms.models import Realm

MAX_REASON = 300
SAME_MOMENT = timedelta(seconds=2)
"""A factor and the event that tells of it are written in one transaction."""


@transaction.atomic
def remove_factor(actor: Actor, *, user_id: UUID, factor_id: str) -> None:
    """Remove one of the own factors. The last one that the realm demands stays, and so does the last way in.

    Recovery codes go with the last factor. Raises NotFound, LastFactor. Says factor.removed.
    """
    user = own_user(actor, user_id)
    factor = queries.factor_by_id(user.pk, factor_id)
    why = queries.why_kept(realm_of(actor), user, factor) or _why_owner(user.pk, factor)
    if why:
        texts = {
            "last_way_in": _("This is your last way to sign in. Set a password or add another passkey first."),
            "required": _("You need a second step here. Add another one first."),
            "last_owner": _("Without it nobody could own this realm. Add another one first."),
        }
        raise LastFactor(texts[why], details={"why": why})
    pk = int(factor.id[1:])
    if factor.id.startswith("m"):
        MessageDevice.objects.filter(user_id=user.pk, pk=pk).delete()
    else:
        _delete_authenticators(user.pk, pk)
    note_removed(actor, user, kind=factor.kind, device=factor.device, name=factor.name)


def _why_owner(user_id: UUID, factor: queries.Factor) -> str:
    """The last owner keeps the factor that his role asks for, or the realm would have none."""
    others = [f for f in queries.factors_of(user_id) if f.is_second_factor and f.id != factor.id]
    if others or not factor.is_second_factor or not queries.role_wants_factor(user_id):
        return ""
    return "last_owner" if is_last_owner(user_id) else ""


def _delete_authenticators(user_id: UUID, pk: int | None = None) -> None:
    rows = AuthenticatorDevice.objects.filter(user_id=user_id).select_related("authenticator")
    for device in rows if pk is None else rows.filter(pk=pk):
        # The registry's row goes with it.
        device.authenticator.delete()


@transaction.atomic
def reset_factors(actor: Actor, *, user_id: UUID, reason: str = "") -> list[str]:
    """Remove every factor of a person who lost them, by an admin: he signs in with his first step and adds a new one.

    All his sessions end, no browser is trusted, and he is told. Where a factor is demanded there is no new grace, so
    that a reset never makes the account one-step for a while. Nobody resets himself: that would be the way round his
    own second step (LG-20). Returns the kinds that were removed. Raises NotFound, PermissionDenied (also for a person
    of higher rank), Conflict, Invalid. Says factor.reset.
    """
    reason = " ".join(reason.split())
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise Invalid(_("Use up to 300 characters."), field="reason")
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    if actor.id == user.pk:
        raise Conflict(_("Change your own second step on your account’s pages."), code="own_factors")
    require_rank(actor, user_id=user.pk)
    kinds = queries.stored_kinds(user.pk)
    if not kinds:
        raise Conflict(_("There is nothing to reset."), code="no_factors")
    _delete_authenticators(user.pk)
    MessageDevice.objects.filter(user_id=user.pk).delete()
    user.second_factor_since, user.factor_grace_until = None, clock.now()
    user.save(update_fields=["second_factor_since", "factor_grace_until"])
    end_trust(actor, user, reason="by_admin")
    ended = end_what_was_issued(actor, user=user, reason="factors_reset")
    mail_factors_reset(realm_of(actor), user)
    record(actor, events.FactorReset(**event_fields(user), kinds=tuple(kinds), sessions_ended=ended, reason=reason))
    return kinds


@transaction.atomic
def take_back_factors(actor: Actor, *, user_id: UUID, since: datetime, kept_by: Collection[UUID]) -> list[str]:
    """Remove the factors that somebody else may have added since a moment: called by what denies a sign-in.

    kept_by: sessions in which the person himself acted; what the trail says was added there stays. Like a reset this
    begins no new grace. Returns the kinds that were removed. Raises NotFound. Says factor.removed for each.
    """
    user = locked_user(user_id)
    added = count_failures(
        actor.realm_id,
        since=since,
        until=uuid7(),
        types=("factor.added", "recovery_codes.generated"),
        most=MAX_FACTORS * 5,
        target_id=user.pk,
    )
    own = [
        (str(event.payload.get("kind", FactorKind.RECOVERY_CODES)), event.occurred_at)
        for event in added
        if event.session_id in kept_by
    ]

    def was_own(kind: str, at: datetime) -> bool:
        return any(kind == each and abs(at - when) < SAME_MOMENT for each, when in own)

    found: list[AuthenticatorDevice | MessageDevice] = [
        *AuthenticatorDevice.objects.filter(user_id=user.pk, created_at__gte=since).select_related("authenticator"),
        *MessageDevice.objects.filter(user_id=user.pk, created_at__gte=since),
    ]
    taken = [device for device in found if not was_own(device.kind, device.created_at)]
    for device in taken:
        if isinstance(device, AuthenticatorDevice):
            # The registry's row goes with it.
            device.authenticator.delete()
        else:
            device.delete()
    last = user.second_factor_since is not None and not queries.has_any_factor(user.pk)
    if last:
        user.second_factor_since, user.factor_grace_until = None, clock.now()
        user.save(update_fields=["second_factor_since", "factor_grace_until"])
    for device in taken:
        record(actor, events.FactorRemoved(**event_fields(user), kind=device.kind, name=device.name, last=last))
    return [device.kind for device in taken]


@transaction.atomic
def begin_grace(actor: Actor, *, user_id: UUID, realm: Realm) -> None:  # house: HR03 signin.succeeded follows it
    """The first sign-in under a policy that demands a factor: from now on the grace runs, once and never again."""
    if actor.id != user_id:
        raise NotFound
    user = locked_user(user_id)
    grace = int(realm.setting("second_factor_grace"))
    if user.factor_grace_until is not None or not grace:
        return
    user.factor_grace_until = clock.now() + timedelta(seconds=grace)
    user.save(update_fields=["factor_grace_until"])
