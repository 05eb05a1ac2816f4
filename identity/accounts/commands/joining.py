"""What a person still owes at a sign-in: the terms in force, and a number that was never confirmed."""

from uuid import UUID

from django.db import transaction

from identity.accounts import events, sign_up_rules
from identity.accounts.commands.fetching import locked_user, realm_of
from identity.accounts.models import User
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, PermissionDenied
from identity.kernel.permissions import Permission


def _himself(actor: Actor, user_id: UUID) -> User:
    """Nobody accepts or confirms for somebody else. Raises PermissionDenied, NotFound."""
    if actor.id != user_id:
        raise PermissionDenied(permission=Permission.USERS_WRITE)
    return locked_user(user_id)


@transaction.atomic
def accept_terms(actor: Actor, *, user_id: UUID, version: str) -> User:
    """The person accepts the terms that were shown. Raises PermissionDenied, Conflict (there are newer ones).

    Says terms.accepted; nothing for terms that were accepted already.
    """
    user = _himself(actor, user_id)
    in_force = sign_up_rules.policy_of(realm_of(actor)).terms_version
    if version != in_force:
        raise Conflict
    if not sign_up_rules.terms_due(in_force, user.terms_version):
        return user
    user.terms_version, user.terms_accepted_at = in_force, clock.now()
    user.save(update_fields=["terms_version", "terms_accepted_at"])
    record(
        actor,
        events.TermsAccepted(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, terms_version=in_force
        ),
    )
    return user


@transaction.atomic
def confirm_phone(actor: Actor, *, user_id: UUID, phone: str) -> User:
    """The person typed the code that was sent to this number, which is still his. The edge has spent the code.

    Raises PermissionDenied, Conflict (he has another number by now). Says phone.verified.
    """
    user = _himself(actor, user_id)
    if not phone or user.phone != phone:
        raise Conflict
    if user.phone_verified_at is None:
        user.phone_verified_at = clock.now()
        user.save(update_fields=["phone_verified_at"])
        record(
            actor,
            events.PhoneVerified(target_id=user.pk, subject_id=user.pk, target_name=user.display_name, phone=phone),
        )
    return user


@transaction.atomic
def give_up_phone(actor: Actor, *, user_id: UUID) -> User:
    """The number that an admin or file gave isn't the person's: it is taken off, while another name stays.

    Raises PermissionDenied, Invalid (the last name). Says user.identifiers_changed.
    """
    user = _himself(actor, user_id)
    if user.phone is None or user.phone_verified_at is not None:
        return user
    if not (user.email or user.username):
        raise Invalid(field="phone", code="no_identifier")
    user.phone = None
    user.save(update_fields=["phone"])
    record(
        actor,
        events.UserIdentifiersChanged(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, fields=("phone",)
        ),
    )
    return user
