"""What stands in links that are sent to people: to choose a new password, to confirm and to take back an address.

None is stored: each is signed with its realm and with what it is about, so it works in no other realm, and stops
working when what it is about has changed. URLs are made here too, on the realm's configured origin (LG-05).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing

from identity.accounts.models import User
from identity.accounts.rules import CONFIRM_LIFETIME, RESET_LIFETIME, REVERT_LIFETIME
from identity.kernel import clock
from identity.kernel.context import NoRealm, RealmLike, current_realm
from identity.realms.mount import realm_url

RESET_PAGE = "account_reset_password_from_key"
CONFIRM_PAGE = "account_confirm_email"
REVERT_PAGE = "account_revert_email"
REVERT_NUMBER_PAGE = "account_revert_phone"
INVITATION_PAGE = "accept_invitation"


class ResetTokens(PasswordResetTokenGenerator):
    """Tokens to choose a new password. Worth nothing after use, after an hour, or once password or address change."""

    key_salt = "identity.accounts.reset"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{user.realm_id}|{user.pk}|{user.password}|{user.password_changed_at}|{user.email}|{timestamp}"

    def _now(self) -> datetime:
        return clock.now().replace(tzinfo=None)

    def check_token(self, user: Any, token: str | None) -> bool:
        """Whether the token is this person's, unused, and not older than RESET_LIFETIME."""
        if not super().check_token(user, token):
            return False
        made = int(str(token).partition("-")[0], 36)
        return self._num_seconds(self._now()) - made <= RESET_LIFETIME.total_seconds()


reset_tokens = ResetTokens()


def reset_link(realm: RealmLike, user: User) -> str:
    """The URL at which this person chooses a new password."""
    return realm_url(realm, RESET_PAGE, uidb36=user.pk.hex, key=reset_tokens.make_token(user))


@dataclass(frozen=True, slots=True)
class AboutAddress:
    """What a link about an address says: whose it is, which address, and the one that it replaces or is replaced by."""

    user_id: UUID
    email: str
    other_email: str = ""
    issued: float = 0


@dataclass(frozen=True, slots=True)
class AboutNumber:
    """What a link about a number says: whose it is, the proven one of before, and what replaced it; empty is none.

    issued: when it was made, in seconds; so too of a link that takes back an address.
    """

    user_id: UUID
    phone: str
    other_phone: str
    issued: float = 0


About = AboutAddress | AboutNumber


def issued_at(about: About) -> datetime:
    """When the link was made."""
    return datetime.fromtimestamp(about.issued, UTC)


def _realm_salt(purpose: str) -> str:
    realm = current_realm()
    if realm is None:
        raise NoRealm("A link was made or read without a realm.")
    return f"identity.accounts.{purpose}.{realm.pk}"


def _read[About: (AboutAddress, AboutNumber)](
    kind: type[About], purpose: str, token: str, lifetime: timedelta
) -> About | None:
    try:
        user_id, *said = signing.loads(token, salt=_realm_salt(purpose), max_age=lifetime.total_seconds())
        return kind(UUID(user_id), *said)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def confirm_token(user: User, email: str) -> str:
    """Shows that its holder reads mail to `email`."""
    return signing.dumps([user.pk.hex, email, ""], salt=_realm_salt("confirm"))


def read_confirm_token(token: str) -> AboutAddress | None:
    """What a confirmation link is about, or None when it is forged, of another realm or too old."""
    return _read(AboutAddress, "confirm", token, CONFIRM_LIFETIME)


def confirm_link(realm: RealmLike, user: User, email: str) -> str:
    """The URL at which an address is confirmed."""
    return realm_url(realm, CONFIRM_PAGE, key=confirm_token(user, email))


def revert_link(realm: RealmLike, user: User, former: str, present: str) -> str:
    """The URL at which the owner of the former address takes the change back."""
    about = [user.pk.hex, former, present, clock.now().timestamp()]
    return realm_url(realm, REVERT_PAGE, token=signing.dumps(about, salt=_realm_salt("revert")))


def read_revert_token(token: str) -> AboutAddress | None:
    """The account, its former address and the one that replaced it; None when forged, of another realm or too old."""
    return _read(AboutAddress, "revert", token, REVERT_LIFETIME)


def number_revert_link(realm: RealmLike, user: User, former: str) -> str:
    """The URL at which the owner of the former number, or of the address, takes a change of the number back."""
    about = [user.pk.hex, former, user.phone or "", clock.now().timestamp()]
    return realm_url(realm, REVERT_NUMBER_PAGE, token=signing.dumps(about, salt=_realm_salt("revert-number")))


def read_number_revert_token(token: str) -> AboutNumber | None:
    """The account, its former number and the present one; None when forged, of another realm or too old."""
    return _read(AboutNumber, "revert-number", token, REVERT_LIFETIME)
