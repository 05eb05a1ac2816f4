"""What follows a sign-in that was unlike its person: he is asked, and "it was not me" contains it at once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts.commands import keep_taken_back, lock_user, revert_email_change
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import locked_user
from identity.accounts.commands.passwords import put_password
from identity.accounts.links import AboutAddress, AboutNumber
from identity.accounts.mails import mail_reset_link, mail_to
from identity.accounts.models import User
from identity.accounts.password_rules import ChangeReason
from identity.audit.models import AuditEvent
from identity.audit.queries import count_failures
from identity.audit.reading import readable
from identity.audit.record import record
from identity.consent.commands import withdraw_consent
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import RealmLike
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.events import Severity
from identity.kernel.ids import uuid7
from identity.kernel.transactions import for_write
from identity.mfa.commands import take_back_factors, untrust_devices
from identity.realms.models import IdentityProvider, Realm
from identity.realms.mount import realm_url
from identity.realms.queries import provider_key
from identity.security.commands import (
    Signal,
    close_review,
    open_held_review,
    open_review,
    raise_alert,
    take_up_held_review,
)
from identity.security.models import HELD, ReviewStatus, SignInReview
from identity.security.queries import DONE
from identity.security.rules import MOST_COUNTED, Detector
from identity.sessions.commands import confirm_device, deny_device
from identity.sessions.models import Device, DeviceStatus, Session
from identity.signin import events
from identity.signin.recognition import Recognition
from identity.signin.risk import REVIEW_LIFETIME, is_told

REVIEW_PAGE = "sign_in_review"
EARLIER = timedelta(seconds=1)
"""What was written in the same moment as the sign-in is its doing, too."""


def note_held(actor: Actor, *, realm: RealmLike, user: User, came: Recognition, application_id: UUID | None) -> None:
    """A sign-in is held: the first step was right, and another factor has to confirm it.

    Somebody knows the password who perhaps should not, so the person is told, whether it is ever confirmed or not:
    once, with the link that says "it was not me". Says signin.held, review.opened.
    """
    with transaction.atomic():
        record(
            actor,
            events.SignInHeld(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                reasons=tuple(came.reasons),
                country=came.place.country,
                application_id=application_id,
            ),
        )
        opened = open_held_review(
            actor, user=user, reasons=came.reasons, country=came.place.country, lifetime=REVIEW_LIFETIME
        )
        _ask_by_mail(actor, realm, user, came, opened, held=True)


def ask_person(
    actor: Actor, *, realm: RealmLike, user: User, session_id: UUID, device: Device, came: Recognition
) -> None:
    """Ask by mail and in the account whether it was the person, as the realm wants it. Says review.opened.

    About one that was held from the same address he has been asked: that question is about this sign-in from now on.
    """
    if not is_told(
        came.reasons,
        new_device=bool(realm.setting("new_device_notice")),
        places=bool(realm.setting("impossible_travel_notice")),
        suspicious=str(realm.setting("suspicious_sign_in")),
    ):
        return
    if came.is_suspicious and take_up_held_review(actor, user=user, session_id=session_id, device=device):
        return
    opened = open_review(
        actor,
        user=user,
        session_id=session_id,
        device=device,
        reasons=came.reasons,
        country=came.place.country,
        lifetime=REVIEW_LIFETIME,
        asked_before=came.device is not None,
    )
    _ask_by_mail(actor, realm, user, came, opened, held=False)


def _ask_by_mail(
    actor: Actor,
    realm: RealmLike,
    user: User,
    came: Recognition,
    opened: tuple[SignInReview, str] | None,
    *,
    held: bool,
) -> None:
    # An address that nobody has confirmed may be a stranger's: its link would end sessions of the person (LG-11).
    if opened is None or not user.email_verified:
        return
    review, secret = opened
    mail_to(
        realm,  # type: ignore[arg-type]
        user,
        "new_sign_in",
        {
            "url": realm_url(realm, REVIEW_PAGE, token=secret),
            "days": REVIEW_LIFETIME.days,
            "user_agent": actor.origin.user_agent,
            "ip": actor.origin.ip,
            "country": came.place.country,
            "city": came.place.city,
            "at": review.signed_in_at.isoformat(),
            "is_new_device": "new_device" in came.reasons,
            "is_impossible": "impossible_travel" in came.reasons,
            "held": held,
        },
        expires_at=review.expires_at,
    )


def _answerable(review: SignInReview | None) -> SignInReview:
    """The row, locked, if it still waits for an answer. Raises NotFound, Conflict (answered)."""
    if review is None:
        raise NotFound
    locked = for_write(SignInReview.objects.filter(pk=review.pk)).first()
    if locked is None:
        raise NotFound
    if locked.is_over:
        raise Conflict(_("This question has been answered."), code="answered")
    return locked


@transaction.atomic
def confirm_review(actor: Actor, *, review: SignInReview) -> None:
    """ "It was me": the device is known from now on. Once. Raises NotFound, Conflict. Says review.confirmed."""
    user = locked_user(review.user_id)
    locked = _answerable(review)
    if locked.device_id is not None:
        confirm_device(device_id=locked.device_id)
    close_review(actor, review=locked, user=user, status=ReviewStatus.CONFIRMED, outcome={})


@transaction.atomic
def deny_review(actor: Actor, *, realm: Realm, review: SignInReview) -> dict[str, Any]:
    """ "It was not me": all at once, or nothing of it. Once. Raises NotFound, Conflict.

    Ends every session and what it issued; makes the password void, so that a new one has to be chosen by a mailed link;
    takes trust from all browsers and denies the device; takes back the factors, linked accounts, consents and the
    address that were added since then, but for what was done on a device that was known before. Alerts the admins and
    mails the person what was done. The way back is never told to whoever holds the link: it is mailed.

    Returns what was done. Says review.denied, and what each of its parts says.
    """
    user = locked_user(review.user_id)
    locked = _answerable(review)
    since = locked.signed_in_at - EARLIER
    # Read before the sessions end: what their devices are now is what they were then.
    kept = _trusted_sessions(user.pk, since, locked)
    done = _done_since(realm, user, since, kept)
    had_password = user.has_usable_password()
    back = _take_back_address(actor, user, done)
    ended = end_what_was_issued(actor, user=user, reason="sign_in_denied")
    if had_password:
        # Void, and said to be so: the old one opens nothing, not even the page that asks for a new one.
        put_password(actor, user=user, encoded=make_password(None))
        user.password_change_required = str(ChangeReason.CONTAINED)
        user.save(update_fields=["password_change_required"])
    else:
        # Another nothing instead of the former: a sign-in that waits for its next step is bound to that.
        user.password = make_password(None)
        user.save(update_fields=["password"])
    number_back = _take_back_number(user, done)
    _end_ways_back(actor, user, done, since)
    trusted = untrust_devices(actor, user_id=user.pk, reason="sign_in_denied")
    if locked.device_id is not None:
        deny_device(device_id=locked.device_id)
    factors = take_back_factors(actor, user_id=user.pk, since=since, kept_by=kept)
    identities = _unlink_since(actor, user, since, done)
    outcome: dict[str, Any] = {
        "sessions_ended": ended if back is None else back,
        # Where nobody signs in with one, there is nothing to choose anew.
        "password": had_password and bool(realm.setting("password_sign_in")),
        "trusted": trusted,
        "factors": factors,
        "identities": identities,
        "consents": _withdraw_since(actor, user, since, kept),
        "address": back is not None,
        "number": number_back,
    }
    close_review(actor, review=locked, user=user, status=ReviewStatus.DENIED, outcome=outcome)
    _alert(realm, user, locked, outcome)
    _tell(realm, user, outcome)
    return outcome


def _trusted_sessions(user_id: UUID, since: datetime, review: SignInReview) -> set[UUID]:
    """The person's sessions on devices that were known before: what was done there was done by him."""
    rows = Session.objects.filter(
        user_id=user_id, device__status=DeviceStatus.KNOWN, device__first_seen_at__lt=since
    ).values_list("pk", "device_id")
    return {pk for pk, device_id in rows if pk != review.session_id and device_id != review.device_id}


def _done_since(realm: Realm, user: User, since: datetime, kept: Collection[UUID]) -> list[AuditEvent]:
    """What was changed since in the account, elsewhere than on a known device; the newest first."""
    rows = count_failures(realm.pk, since=since, until=uuid7(), types=DONE, most=MOST_COUNTED, target_id=user.pk)
    # Who opens a link is nobody yet; what an admin did stays.
    return [row for row in rows if row.session_id not in kept and row.actor_id in (None, user.pk)]


def _take_back_address(actor: Actor, user: User, done: list[AuditEvent]) -> int | None:
    """The address as it was before, if it was changed meanwhile: the way back in is mailed there, not to a stranger.

    How many sessions ended with that; None without a change. If somebody else has the address by now, the account is
    locked until an admin looks after it.
    """
    changes = [event for event in readable(done) if event.row.type == "email.changed"]
    former = changes[-1].personal.get("former_email", "") if changes else ""
    if not former or former == user.email:
        return None
    try:
        with transaction.atomic():
            count = Session.objects.filter(user_id=user.pk, status="active").count()
            reverted = revert_email_change(actor, about=AboutAddress(user.pk, former, user.email or ""))
    except Conflict:
        lock_user(system_actor(actor.realm_id), user_id=user.pk, reason=str(_("Denied sign-in; the address is gone")))
        user.refresh_from_db()
        return None
    for name in ("email", "email_verified_at", "password", "password_changed_at"):
        setattr(user, name, getattr(reverted, name))
    return count


def _end_ways_back(actor: Actor, user: User, done: list[AuditEvent], since: datetime) -> None:
    """What the stranger changed twice sent a way back to himself: none of them undoes this (LG-11)."""
    types, moment = {event.type for event in done}, since.timestamp()
    if "email.changed" in types:
        keep_taken_back(actor, user=user, about=AboutAddress(user.pk, "", issued=moment))
    if types & {"phone.changed", "phone.removed"}:
        keep_taken_back(actor, user=user, about=AboutNumber(user.pk, "", "", issued=moment))


def _take_back_number(user: User, done: list[AuditEvent]) -> bool:
    """The number as it was before, if it was changed meanwhile and was proven then; else none is proven any more.

    Whether it is as before: not where somebody else has that number by now.
    """
    changes = [event for event in readable(done) if event.row.type in ("phone.changed", "phone.removed")]
    if not changes:
        if any("phone" in event.payload.get("fields", ()) for event in done) and user.phone_verified_at is not None:
            user.phone_verified_at = None
            user.save(update_fields=["phone_verified_at"])
        return False
    first = changes[-1]
    former = first.personal.get("former_phone", "")
    is_taken = User.objects.filter(phone=former).exclude(pk=user.pk).exists()
    if is_taken:
        # What is left when he is found by nothing else proves nothing.
        former = "" if user.email or user.username else user.phone or ""
    proven = bool(former) and former != user.phone and bool(first.row.payload.get("former_proven"))
    user.phone, user.phone_verified_at = former or None, clock.now() if proven else None
    user.save(update_fields=["phone", "phone_verified_at"])
    return not is_taken


def _unlink_since(actor: Actor, user: User, since: datetime, done: list[AuditEvent]) -> list[str]:
    """End the links to accounts elsewhere that were made meanwhile. Returns the providers' names."""
    aliases = {str(event.payload.get("alias", "")) for event in done if event.type == "identity.linked"}
    names = []
    for provider in IdentityProvider.objects.filter(alias__in=aliases):
        links = SocialAccount.objects.filter(user=user, provider=provider_key(provider), date_joined__gte=since)
        for link in links:
            said = events.IdentityUnlinked(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                provider_id=provider.pk,
                alias=provider.alias,
                label=str(link.extra_data.get("label", "")),
            )
            link.delete()
            record(actor, said)
            names.append(provider.name)
    return names


def _withdraw_since(actor: Actor, user: User, since: datetime, kept: Collection[UUID]) -> int:
    """Take back what applications were allowed meanwhile, but for what was allowed on a known device."""
    rows = Consent.objects.filter(user=user, withdrawn_at=None, granted_at__gte=since)
    granted = count_failures(
        actor.realm_id, since=since, until=uuid7(), types=("consent.granted",), most=MOST_COUNTED, actor_id=user.pk
    )
    own = {str(event.payload.get("consent_id")) for event in granted if event.session_id in kept}
    withdrawn = [consent for consent in rows if str(consent.pk) not in own]
    for consent in withdrawn:
        withdraw_consent(actor, consent_id=consent.pk)
    return len(withdrawn)


def _alert(realm: Realm, user: User, review: SignInReview, outcome: dict[str, Any]) -> None:
    session = review.session
    raise_alert(
        system_actor(realm.pk),
        signal=Signal(
            detector=Detector.DENIED_SIGN_IN,
            severity=Severity.HIGH,
            topic=str(user.pk),
            at=clock.now(),
            evidence={
                "tries": 1,
                "first_at": (review.signed_in_at - EARLIER).isoformat(),
                "last_id": str(uuid7()),
                "session_id": str(review.session_id) if review.session_id else None,
                "review_id": str(review.pk),
                "reasons": review.reasons,
                "country": review.country,
                "outcome": outcome,
            },
            about=user.display_name,
            user_id=user.pk,
            address=(session.ip or "") if session is not None else review.outcome.get(HELD, {}).get("ip", ""),
        ),
    )


def _tell(realm: Realm, user: User, outcome: dict[str, Any]) -> None:
    """What was done, to the person; with the link to choose a new password, where there was one."""
    if not user.email or not user.email_verified:
        return
    mail_to(realm, user, "sign_in_denied", {**outcome, "count": outcome["sessions_ended"]})
    # Who got his address back has the link already.
    if outcome["password"] and not outcome["address"] and user.is_active:
        mail_reset_link(realm, user)
