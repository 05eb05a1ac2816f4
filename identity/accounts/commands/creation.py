"""Making accounts: by admins and files, and by people themselves."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts import attribute_rules, events, rules, sign_up_rules
from identity.accounts.addresses import mirror
from identity.accounts.commands.choosing import new_password_hash
from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import User, UserStatus
from identity.accounts.password_hashes import storable_hash
from identity.accounts.queries import attributes_at_sign_up, country_of_realm, find_user_by_identifier
from identity.audit.record import record
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission

LANGUAGES = tuple(code for code, _name in settings.LANGUAGES)


def create_user(
    actor: Actor,
    *,
    email: str | None = None,
    phone: str | None = None,
    username: str | None = None,
    name: str = "",
    given_name: str = "",
    family_name: str = "",
    language: str | None = None,
    time_zone: str | None = None,
    password: str | None = None,
    password_hash: str | None = None,
    email_verified: bool = False,
    phone_verified: bool = False,
    key: str | None = None,
) -> User:
    """An account with at least one identifier. Without a password the person comes in by an invitation or reset link.

    password_hash: one of another product or of an export (`password_hashes.storable_hash` says which); it is replaced
    at the person's first sign-in.
    Raises PermissionDenied, Invalid (an identifier that is malformed or taken, a weak password). Says user.created.
    """
    actor.require(Permission.USERS_WRITE)
    if password and password_hash:
        raise Invalid(_("Give a password or its hash, not both."), field="password")
    fields: dict[str, Any] = {**_identifiers(email=email, phone=phone, username=username)}
    fields |= profile_fields(
        name=name, given_name=given_name, family_name=family_name, language=language, time_zone=time_zone
    )
    if key is not None:
        fields["key"] = rules.checked_text(key, field="key", most=rules.MAX_KEY) or None
    # Hashed before the transaction: it takes milliseconds, which no other writer should have to wait.
    stored = storable_hash(password_hash) if password_hash else _hashed(password, fields)
    now = clock.now()
    fields |= {
        "email_verified_at": now if email_verified and fields["email"] else None,
        "phone_verified_at": now if phone_verified and fields["phone"] else None,
    }
    with transaction.atomic():
        return insert_user(actor, fields=fields, encoded=stored, how="admin")


def sign_up_user(
    actor: Actor,
    *,
    email: str = "",
    phone: str = "",
    username: str = "",
    password_hash: str | None = None,
    name: str = "",
    language: str | None = None,
    email_verified: bool = False,
    phone_verified: bool = False,
    terms_version: str = "",
    attributes: Mapping[str, Any] | None = None,
    user_id: UUID | None = None,
) -> User:
    """An account that a person makes for himself, by the realm's policy. Nothing else can be set (LG-10).

    password_hash: of `new_password_hash`; None: another way in follows. The edge says what a code has proven. user_id:
    which a passkey was bound to before. Where the realm wants approval the account waits for an admin.
    Raises Conflict (sign_up_closed), Invalid. Says user.created.
    """
    realm = realm_of(actor)
    policy = sign_up_rules.policy_of(realm)
    if not policy.is_open or not realm.is_active:
        raise Conflict(_("Accounts are by invitation here."), code="sign_up_closed")
    asked = sign_up_rules.asked_identifiers(policy, email=email, phone=phone, username=username)
    fields: dict[str, Any] = {**_identifiers(**{str(kind): text for kind, text in asked.items()})}
    if fields["email"]:
        sign_up_rules.check_domain(policy, fields["email"])
    sign_up_rules.check_terms(policy, terms_version)
    fields |= profile_fields(name=name, given_name="", family_name="", language=language, time_zone=None)
    now = clock.now()
    fields |= {
        "email_verified_at": now if email_verified and fields["email"] else None,
        "phone_verified_at": now if phone_verified and fields["phone"] else None,
        "attributes": attribute_rules.checked_values(attributes_at_sign_up(), attributes or {}),
        **joining_fields(policy),
        **({"id": user_id} if user_id else {}),
    }
    with transaction.atomic():
        return insert_user(actor, fields=fields, encoded=password_hash, how="sign_up")


def joining_fields(policy: sign_up_rules.SignUpPolicy, *, approval: bool = False) -> dict[str, Any]:
    """What the policy writes on an account that a person made: accepted terms, and whether it waits for an admin."""
    now = clock.now()
    out: dict[str, Any] = {}
    if policy.terms_version:
        out |= {"terms_version": policy.terms_version, "terms_accepted_at": now}
    if policy.approval or approval:
        out |= {"status": UserStatus.PENDING, "status_changed_at": now}
    return out


def note_sign_in(*, user_id: UUID) -> None:  # house: HR03 signin.succeeded says it
    """Remember when the person last came in."""
    sql.change_soon(User, user_id, {"last_sign_in_at": clock.now()})


def _hashed(password: str | None, fields: dict[str, Any]) -> str | None:
    """The hash of a new password that passed the rules."""
    names = {field: fields.get(field) for field in ("email", "phone", "username", "name")}
    return None if password is None else new_password_hash(password, **names)


def profile_fields(
    *, name: str, given_name: str, family_name: str, language: str | None, time_zone: str | None
) -> dict[str, Any]:
    """The checked profile. Raises Invalid, naming the field."""
    return {
        "name": rules.checked_text(name, field="name", most=rules.MAX_NAME),
        "given_name": rules.checked_text(given_name, field="given_name", most=rules.MAX_PART_OF_NAME),
        "family_name": rules.checked_text(family_name, field="family_name", most=rules.MAX_PART_OF_NAME),
        "language": rules.checked_language(language, LANGUAGES),
        "time_zone": rules.checked_time_zone(time_zone),
    }


def _identifiers(
    *, email: str | None = None, phone: str | None = None, username: str | None = None
) -> dict[str, str | None]:
    if not (email or phone or username):
        raise Invalid(_("Give an email address, a phone number or a username."), field="email", code="no_identifier")
    return {
        "email": rules.normalized_email(email) if email else None,
        "phone": rules.normalized_phone(phone, country_of_realm()) if phone else None,
        "username": rules.normalized_username(username) if username else None,
    }


def refuse_taken(values: dict[str, str | None], *, own_id: UUID | None = None) -> None:
    """Raises Invalid, naming the identifier that somebody else in the realm has."""
    for field, value in values.items():
        other = find_user_by_identifier(value) if value else None
        if other is not None and other.pk != own_id:
            raise taken(field)


def taken(field: str) -> Invalid:
    """The refusal of an identifier that somebody else in the realm has."""
    return Invalid(_("Somebody in this realm has this already."), field=field, code=f"{field}_taken")


def insert_user(actor: Actor, *, fields: dict[str, Any], encoded: str | None, how: str) -> User:
    """The row itself, inside the caller's transaction; without a hash, a password that nothing verifies.

    Raises Invalid (taken). Says user.created.
    """
    refuse_taken({field: fields[field] for field in ("email", "phone", "username")})
    if fields.get("key") and User.objects.filter(key=fields["key"]).exists():
        raise taken("key")
    now = clock.now()
    user = User(
        realm_id=actor.realm_id,
        password=encoded or make_password(None),
        password_changed_at=now if encoded else None,
        created_at=now,
        **fields,
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        # Somebody took it between the look and the insert.
        raise taken("email" if fields["email"] else "username")
    mirror(user)
    record(
        actor,
        events.UserCreated(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, email=user.email or "", how=how
        ),
    )
    return user
