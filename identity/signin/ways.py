"""Which ways in a realm opens to a name, and how events call them."""

from identity.accounts.rules import Identifier, kind_of_identifier
from identity.kernel.context import RealmLike


def takes_names(realm: RealmLike) -> bool:
    """Whether a name leads anywhere but to a provider of its domain: to a password or a code."""
    return any(realm.setting(name) for name in ("password_sign_in", "email_code_sign_in", "sms_code_sign_in"))


def may_use_password(realm: RealmLike | None, identifier: str) -> bool:
    """Whether the realm lets people in by a password and this kind of name. Fails closed without a realm."""
    if realm is None or not realm.setting("password_sign_in"):
        return False
    match kind_of_identifier(identifier):
        case Identifier.PHONE:
            return bool(realm.setting("phone_sign_in"))
        case Identifier.USERNAME:
            return bool(realm.setting("username_sign_in"))
    return True


def may_send_codes(realm: RealmLike, identifier: str) -> bool:
    """Whether the realm sends codes to names of this kind: addresses by mail, numbers by text message.

    A username says nothing about where its person reads: his mail is used.
    """
    by = "sms_code_sign_in" if kind_of_identifier(identifier) == Identifier.PHONE else "email_code_sign_in"
    return bool(realm.setting(by))


def may_reset_by_phone(realm: RealmLike) -> bool:
    """Whether a forgotten password can be replaced by a code to the own number: where numbers are names."""
    return bool(
        realm.setting("password_sign_in") and (realm.setting("phone_sign_in") or realm.setting("sms_code_sign_in"))
    )


def method_of(identifier: str) -> str:
    """How events call this way in."""
    return "sms_code" if kind_of_identifier(identifier) == Identifier.PHONE else "email_code"


def way_after_invitation(realm: RealmLike) -> str:
    """What an invited person will sign in with, whose address the link has proven: what he needs the least for first.

    Empty where only links with identity providers are left.
    """
    for setting, way in (
        ("password_sign_in", "password"),
        ("email_code_sign_in", "email_code"),
        ("passkey_sign_in", "passkey"),
    ):
        if realm.setting(setting):
            return way
    return ""
