"""The mails that commands on people queue, each in the command's own transaction and in the person's language."""

from typing import Any

from identity.accounts.links import confirm_link, number_revert_link, reset_link, revert_link
from identity.accounts.models import User
from identity.accounts.rules import CONFIRM_LIFETIME, RESET_LIFETIME, REVERT_LIFETIME
from identity.courier.commands import queue_message
from identity.courier.models import Channel
from identity.kernel import clock
from identity.realms.models import Realm
from identity.realms.mount import realm_url

PASSWORD_WISH = "password_wish"
"""The late message that asks for a new password (courier.late); `answer_password_wish` answers it."""


def mail_to(realm: Realm, user: User, template: str, context: dict[str, Any], **options: Any) -> None:
    """Queue a mail to the person's present address; without one, nothing."""
    to = options.pop("to", user.email)
    # Before the address is confirmed the name is whatever somebody typed beside it: no line for our mails (IN-08).
    name = user.name if user.email_verified else ""
    if to:
        queue_message(
            realm,
            to=to,
            template=template,
            context={"name": name, "email": to, **context},
            user_id=user.pk,
            language=user.language,
            **options,
        )


def way_back(realm: Realm) -> dict[str, str]:
    """For mails that tell of what somebody else may have done: the page to choose a new password, which ends that.

    Where nobody has a password, the page of devices and ways in.
    """
    if realm.setting("password_sign_in"):
        return {"reset_url": realm_url(realm, "account_reset_password")}
    return {"security_url": realm_url(realm, "selfservice:security")}


def tell(realm: Realm, user: User, template: str, context: dict[str, Any], *, proven_only: bool = False) -> None:
    """A mail; to somebody without an address a text message, if the number is proven.

    proven_only: to nobody whose address was never confirmed. The message outlives the account.
    """
    if user.email:
        if user.email_verified or not proven_only:
            mail_to(realm, user, template, context)
    elif user.phone and user.phone_verified_at is not None:
        queue_message(
            realm,
            to=user.phone,
            template=template,
            context=context,
            channel=Channel.SMS,
            user_id=user.pk,
            language=user.language,
        )


def mail_confirm_link(realm: Realm, user: User, email: str, *, signing_up: bool = False) -> None:
    """The link that shows that the person reads mail to `email`."""
    mail_to(
        realm,
        user,
        "confirm_email",
        {
            "url": confirm_link(realm, user, email),
            "days": CONFIRM_LIFETIME.days,
            "signing_up": signing_up,
            "is_change": email != user.email,
        },
        to=email,
        expires_at=clock.now() + CONFIRM_LIFETIME,
    )


def mail_account_exists(realm: Realm, user: User, *, provider: str = "") -> None:
    """To the owner of an address with which somebody, perhaps he, wanted to make another account.

    provider: the name of the one he came through. It opens the account only once it is linked from inside.
    """
    context = {**way_back(realm), "provider": provider}
    mail_to(realm, user, "account_already_exists", context)


def text_account_exists(realm: Realm, user: User, *, requested_from: str) -> None:
    """The same, to the owner of a number."""
    if user.phone:
        queue_message(
            realm,
            to=user.phone,
            template="account_already_exists",
            context={},
            channel=Channel.SMS,
            user_id=user.pk,
            language=user.language,
            requested_from=requested_from,
        )


def mail_reset_link(realm: Realm, user: User, *, by_admin: bool = False) -> None:
    """The link to choose a new password. None where nobody signs in with one."""
    if not realm.setting("password_sign_in"):
        return
    mail_to(
        realm,
        user,
        "reset_password",
        {
            "url": reset_link(realm, user),
            "minutes": int(RESET_LIFETIME.total_seconds() // 60),
            "by_admin": by_admin,
        },
        expires_at=clock.now() + RESET_LIFETIME,
    )


def mail_password_changed(realm: Realm, user: User) -> None:
    """A notice, so that a change that the person did not make is seen."""
    mail_to(realm, user, "password_changed", way_back(realm))


def mail_change_requested(realm: Realm, user: User, new_email: str) -> None:
    """A notice to the present address before anything has changed (LG-11)."""
    mail_to(
        realm,
        user,
        "email_change_requested",
        {"new_email": new_email, **way_back(realm)},
    )


def mail_email_changed(realm: Realm, user: User, former: str) -> None:
    """A notice to the former address with the way back (LG-11)."""
    mail_to(
        realm,
        user,
        "email_changed",
        {
            "new_email": user.email,
            "revert_url": revert_link(realm, user, former, user.email or ""),
            "days": REVERT_LIFETIME.days,
        },
        to=former,
        expires_at=clock.now() + REVERT_LIFETIME,
    )


def tell_number_changed(realm: Realm, user: User, *, former: str, was_proven: bool, requested_from: str = "") -> None:
    """To the confirmed address and to the former number, each with the way back (LG-11).

    Whoever changed it in somebody's stead reads at most one of them. was_proven: whether the former one was; one that
    was not is nobody's to tell, and doesn't come back.
    """
    present = user.phone or ""
    if not present and not was_proven:
        return
    context = {
        "how": "changed" if former and present else "added" if present else "removed",
        "ending": (present or former)[-3:],
        "revert_url": number_revert_link(realm, user, former if was_proven else ""),
        "days": REVERT_LIFETIME.days,
    }
    expires_at = clock.now() + REVERT_LIFETIME
    if user.email_verified:
        mail_to(realm, user, "phone_changed", context, expires_at=expires_at)
    if former and was_proven:
        queue_message(
            realm,
            to=former,
            template="phone_changed",
            context=context,
            channel=Channel.SMS,
            user_id=user.pk,
            language=user.language,
            expires_at=expires_at,
            requested_from=requested_from,
        )
