"""Adding factors: an authenticator app, passkeys, recovery codes. The registry's row is made with allauth's own."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import User
from identity.accounts.rules import checked_text
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.mfa import events, limits, passkeys, queries, rules
from identity.mfa.commands.keeping import event_fields, lower_sessions, note_added, own_user, require_room
from identity.mfa.errors import WrongCode
from identity.mfa.hashing import hash_recovery_code
from identity.mfa.mails import mail_recovery_codes_made
from identity.mfa.models import AuthenticatorDevice, FactorKind
from identity.mfa.sealing import sealing_for


def _checked_name(name: str, default: str) -> str:
    return checked_text(name, field="name", most=rules.MAX_NAME) if name.strip() else default


def _registered(
    user: User, authenticator: Authenticator, kind: str, name: str, counter: int | None
) -> AuthenticatorDevice:
    device = AuthenticatorDevice(
        user=user, kind=kind, name=name[:64], authenticator=authenticator, created_at=clock.now(), last_counter=counter
    )
    device.save(force_insert=True)
    return device


def accepted_step(secret: str, code: str) -> int | None:
    """The time step that a typed code belongs to, at most one away from now (RFC 6238, 5.2); None for a wrong one."""
    digits = rules.typed_digits(code)
    if len(digits) != rules.DIGITS:
        return None
    now = rules.step_at(clock.now())
    steps = range(now - rules.WINDOW, now + rules.WINDOW + 1)
    return rules.accepted_step(digits, {step: format_hotp_value(hotp_value(secret, step)) for step in steps})


@transaction.atomic
def confirm_totp(actor: Actor, *, user_id: UUID, secret: str, code: str) -> queries.Factor:
    """The first code of an app shows that it holds the secret; an app that was there before is replaced.

    That code is used with this, so it confirms nothing else (LG-16). Raises NotFound, WrongCode. Says factor.added.
    """
    user = own_user(actor, user_id)
    require_offered(actor, FactorKind.TOTP)
    step = accepted_step(secret, code)
    if step is None:
        raise WrongCode
    require_room(user)
    for former in queries.authenticator_devices(user.pk, FactorKind.TOTP):
        device = former.persistent_id
        former.authenticator.delete()
        lower_sessions(user, device=device)
        record(actor, events.FactorRemoved(**event_fields(user), kind=FactorKind.TOTP))
    with sealing_for(user.pk):
        authenticator = TOTP.activate(user, secret).instance
    made = _registered(user, authenticator, FactorKind.TOTP, "", step)
    note_added(actor, user, kind=FactorKind.TOTP)
    return queries.factor_by_id(user.pk, f"a{made.pk}")


def require_offered(actor: Actor, kind: str) -> None:
    """Raises Conflict for a kind that the realm doesn't have."""
    if kind not in queries.methods_offered(realm_of(actor)):
        raise Conflict(_("This realm doesn’t offer that."), code="method_off")


@transaction.atomic
def add_passkey(
    actor: Actor, *, user_id: UUID, state: dict[str, Any], credential: Mapping[str, Any], name: str = ""
) -> queries.Factor:
    """A passkey or security key, as the browser registered it.

    Raises NotFound, WrongCode, Invalid, Conflict. Says factor.added.
    """
    user = own_user(actor, user_id)
    realm = realm_of(actor)
    if not realm.setting("passkey_sign_in"):
        require_offered(actor, FactorKind.PASSKEY)
    require_room(user)
    data = passkeys.registered(realm, state, credential)
    held = [passkeys.credential_of(d).credential_id for d in queries.authenticator_devices(user.pk, FactorKind.PASSKEY)]
    if data.credential_data is None or data.credential_data.credential_id in held:
        raise WrongCode
    chosen = _checked_name(name, str(_("Passkey")))
    authenticator = WebAuthn.add(user, chosen, dict(credential)).instance
    made = _registered(user, authenticator, FactorKind.PASSKEY, chosen, data.counter)
    note_added(actor, user, kind=FactorKind.PASSKEY, name=chosen)
    return queries.factor_by_id(user.pk, f"a{made.pk}")


@transaction.atomic
def rename_factor(actor: Actor, *, user_id: UUID, factor_id: str, name: str) -> queries.Factor:
    """Another name for a passkey. Raises NotFound, Invalid. Says factor.renamed; nothing for no change."""
    user = own_user(actor, user_id)
    factor = queries.factor_by_id(user.pk, factor_id)
    device = queries.authenticator_devices(user.pk, FactorKind.PASSKEY).filter(pk=int(factor.id[1:])).first()
    if device is None:
        raise NotFound
    chosen = checked_text(name, field="name", most=rules.MAX_NAME)
    if not chosen:
        raise Invalid(_("Give it a name."), field="name")
    if chosen == factor.name:
        return factor
    authenticator = device.authenticator
    authenticator.data["name"] = chosen
    authenticator.save(update_fields=["data"])
    device.name = chosen[:64]
    device.save(update_fields=["name"])
    record(actor, events.FactorRenamed(**event_fields(user), kind=FactorKind.PASSKEY, name=chosen))
    return queries.factor_by_id(user.pk, factor_id)


@transaction.atomic
def generate_recovery_codes(actor: Actor, *, user_id: UUID) -> list[str]:
    """Ten new codes, shown this once: only their keyed hashes are stored. Earlier ones stop working (LG-17).

    Only beside a second factor, of which they are the way back. Raises NotFound, Conflict. Says
    recovery_codes.generated.
    """
    user = own_user(actor, user_id)
    if user.second_factor_since is None:
        raise Conflict(_("Add a second step first."), code="no_second_factor")
    for former in queries.authenticator_devices(user.pk, FactorKind.RECOVERY_CODES):
        former.authenticator.delete()
    codes = [
        "".join(secrets.choice(rules.RECOVERY_ALPHABET) for _each in range(rules.RECOVERY_LENGTH))
        for _code in range(rules.RECOVERY_COUNT)
    ]
    authenticator = Authenticator(
        user=user,
        type=Authenticator.Type.RECOVERY_CODES,
        data={"hashes": [hash_recovery_code(user.pk, code) for code in codes], "total": len(codes)},
        created_at=clock.now(),
    )
    authenticator.save(force_insert=True)
    _registered(user, authenticator, FactorKind.RECOVERY_CODES, "", None)
    limits.forgive(user.pk, FactorKind.RECOVERY_CODES)
    mail_recovery_codes_made(realm_of(actor), user)
    record(actor, events.RecoveryCodesGenerated(**event_fields(user), count=len(codes)))
    return [rules.shown_recovery_code(code) for code in codes]
