"""What the door does: tries are counted, let in or refused, and said.

Refusals are recorded in transactions of their own: there is nothing that could roll back with them (DECISIONS 22).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from identity.accounts.commands import answer_password_wish, note_sign_in, renew_password_hash
from identity.accounts.mails import PASSWORD_WISH
from identity.accounts.models import User, UserStatus
from identity.accounts.queries import country_of_realm, find_user_by_identifier
from identity.accounts.rules import canonical_id
from identity.audit.record import record
from identity.courier.commands import queue_message
from identity.courier.models import Channel
from identity.gate.ratelimits import forget_rate, require_rate
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm
from identity.realms.models import Realm
from identity.sessions.commands import begin_session, note_authentication, note_device
from identity.sessions.models import DeviceStatus, Session
from identity.sessions.queries import session_by_id
from identity.sessions.rules import ACR_ONE, acr_of
from identity.sessions.store import SessionStore
from identity.signin import events, limits
from identity.signin.commands.reviews import ask_person
from identity.signin.errors import NotLetIn, Paused
from identity.signin.hashing import verify_password
from identity.signin.recognition import Recognition
from identity.signin.ways import may_use_password


def check_sign_in(
    actor: Actor,
    *,
    identifier: str,
    password: str,
    device_of: Callable[[User], str] | None = None,
    application_id: UUID | None = None,
) -> User:
    """The person of this realm whom name and password belong to and who may come in.

    The same answer and the same work for every name: unknown, wrong, without password, locked or disabled (LG-23). A
    failure of any part refuses: nothing is skipped (LG-02). device_of: the id of this device for a person who
    is known on it. Raises Paused, NotLetIn, Unavailable. Says signin.failed.
    """
    user = find_user_by_identifier(identifier)
    is_open = may_use_password(current_realm(), identifier)
    known = device_of(user) if user is not None and device_of is not None else ""
    attempt = limits.count_attempt(
        limits.account_key(user, identifier),
        actor.origin.ip,
        device=(user.pk, known) if user is not None and known else None,
    )
    if attempt.paused_until is not None:
        if attempt.is_first_refused:
            say_failed(actor, user, identifier, "too_many_tries", application_id)
        raise Paused(until=attempt.paused_until, now=clock.now())

    def renew(encoded: str) -> None:
        if user is not None:
            renew_password_hash(user_id=user.pk, encoded=encoded)
            # The session that is about to begin is bound to the hash.
            user.password = encoded

    right = verify_password(user.password if user else None, password, on_old_hash=renew)
    if user is None or not right or not user.is_active or not is_open:
        reason = _reason(user, right) if is_open else "method_off"
        say_failed(actor, user, identifier, reason, application_id)
        raise NotLetIn(tries_left=attempt.tries_left, pause_minutes=attempt.pause_minutes)
    limits.forgive(attempt)
    return user


def _reason(user: User | None, right: bool) -> str:
    if user is None:
        return "unknown_name"
    if not user.has_usable_password():
        return "no_password"
    if not right:
        return "wrong_password"
    if user.status == UserStatus.PENDING:
        return "pending"
    return "locked" if user.status == UserStatus.LOCKED else "disabled"


def say_failed(
    actor: Actor,
    user: User | None,
    identifier: str,
    reason: str,
    application_id: UUID | None,
    *,
    method: str = "password",
) -> None:
    """Record one refusal at the door, in a transaction of its own. Says signin.failed."""
    with transaction.atomic():
        record(
            actor,
            events.SignInFailed(
                target_id=user.pk if user else None,
                subject_id=user.pk if user else None,
                target_name=user.display_name if user else "",
                identifier=canonical_id(identifier, country_of_realm()),
                reason=reason,
                method=method,
                application_id=application_id,
            ),
        )


def refuse_unverified(actor: Actor, *, user: User, application_id: UUID | None = None) -> None:
    """The password was right, but the realm wants the address to be confirmed first. Says signin.failed."""
    say_failed(actor, user, user.email or "", "email_unverified", application_id)


def refuse_more_sessions(actor: Actor, *, user: User, method: str, application_id: UUID | None = None) -> None:
    """Everything was right, but the person is signed in in as many places as the realm allows. Says signin.failed."""
    name = user.email or user.get_username()
    say_failed(actor, user, name, "too_many_sessions", application_id, method=method)


@transaction.atomic(savepoint=False)
def note_signed_in(
    actor: Actor,
    *,
    user: User,
    session: SessionStore,
    amr: Sequence[str],
    acr: str = "",
    method: str = "password",
    lifetime: timedelta,
    came: Recognition,
    confirmed: bool = False,
    application_id: UUID | None = None,
) -> Session:
    """Begin the session: write on it, on the device and in the trail how and where from the person came in.

    He is asked whether it was he, if need be. actor: the person, whose session this will be. Says signin.succeeded,
    review.opened. Raises UpdateError when the browser's session was ended meanwhile.
    """
    with sql.gathered():
        return _noted(
            actor,
            user=user,
            session=session,
            amr=amr,
            acr=acr or acr_of(amr),
            method=method,
            lifetime=lifetime,
            came=came,
            confirmed=confirmed,
            application_id=application_id,
        )


def _noted(
    actor: Actor,
    *,
    user: User,
    session: SessionStore,
    amr: Sequence[str],
    acr: str,
    method: str,
    lifetime: timedelta,
    came: Recognition,
    confirmed: bool,
    application_id: UUID | None,
) -> Session:
    device = note_device(
        actor,
        user_id=user.pk,
        device_id=came.device_id,
        former=came.device,
        # Who showed two kinds of factor, or confirmed a held sign-in, has shown that the device is his; else somebody
        # has to say so.
        status=(
            DeviceStatus.NEW
            if came.is_new and came.reasons and acr == ACR_ONE and not confirmed
            else DeviceStatus.KNOWN
        ),
        label=came.label,
        country=came.place.country,
    )
    row = begin_session(
        session,
        amr=amr,
        acr=acr,
        at=clock.now(),
        lifetime=lifetime,
        device=device,
        country=came.place.country,
    )
    actor = replace(actor, session_id=row.pk)
    note_sign_in(user_id=user.pk)
    record(
        actor,
        events.SignInSucceeded(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            identifier=user.email or user.get_username(),
            application_id=application_id,
            method=method,
            amr=tuple(amr),
            new_device=came.is_new,
            country=came.place.country,
            reasons=tuple(came.reasons),
        ),
    )
    realm = current_realm()
    if came.reasons and realm is not None:
        ask_person(actor, realm=realm, user=user, session_id=row.pk, device=device, came=came)
    return row


def confirm_sign_in(actor: Actor, *, user: User, password: str) -> None:
    """The signed-in person shows again that he knows the password; the session's `auth_time` is now.

    Raises RateLimited, NotLetIn, Unavailable. Says signin.confirmed, or signin.failed.
    """
    require_rate(actor, policy="reauthentication")
    if not verify_password(user.password, password):
        say_failed(actor, user, user.email or user.get_username(), "wrong_password", None)
        raise NotLetIn
    forget_rate(actor, policy="reauthentication")
    with transaction.atomic():
        session = session_by_id(actor.session_id) if actor.session_id is not None else None
        if session is not None:
            # What it had reached stays: a confirmation adds, and makes it fresh.
            note_authentication(
                session_id=session.pk,
                amr=list(dict.fromkeys([*session.amr, "pwd"])),
                acr=session.acr or ACR_ONE,
                at=clock.now(),
            )
        record(
            actor,
            events.SignInConfirmed(target_id=user.pk, subject_id=user.pk, target_name=user.display_name),
        )


def wish_for_password(
    actor: Actor, *, realm: Realm, email: str, device: str = ""
) -> None:  # house: HR03 the worker says what comes of it
    """Ask for a link to choose a new password. One row, whatever the address; the worker looks who is meant (LG-08)."""
    if not realm.setting("password_sign_in") or not limits.may_mail(email, actor.origin.ip, device=device):
        return
    with transaction.atomic():
        queue_message(
            realm,
            to=email,
            template=PASSWORD_WISH,
            context={
                "email": email,
                "ip": actor.origin.ip,
                "user_agent": actor.origin.user_agent,
                "request_id": actor.request_id,
                "own_device": bool(device),
            },
            channel=Channel.LATE,
        )


def answer_wish_for_password(realm: Realm, *, email: str, ip: str = "", own_device: bool = False, **about: str) -> None:
    """In the worker: as `answer_password_wish` says, within what one person gets. Says password.reset_requested."""
    user = find_user_by_identifier(email)
    if user is not None and limits.may_mail_person(user.pk, ip, own_device=own_device):
        answer_password_wish(realm, email=email, ip=ip, **about)
