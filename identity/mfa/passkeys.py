"""WebAuthn ceremonies (Level 3, 7.1 and 7.2) on fido2, with allauth's rows: options, and what a browser answers.

The relying party is the realm's configured origin, never a Host header. A challenge belongs to one purpose: one that
was asked for a second step never serves a sign-in by passkey alone, whose answer must prove that the person was
verified.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core import signing
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from identity.accounts.models import User
from identity.kernel import clock
from identity.kernel.naming import origin_of
from identity.mfa.errors import WrongCode
from identity.mfa.models import AuthenticatorDevice
from identity.realms.models import Realm

MAX_CREDENTIAL = 16 * 1024
LIFETIME = timedelta(minutes=10)
State = dict[str, Any]


def rp_id(realm: Realm) -> str:
    """The relying party: the host of the realm's origin. Realms of one host share it; the realm's people don't mix."""
    return urlsplit(origin_of(realm)).hostname or ""


def _server(realm: Realm) -> Fido2Server:
    origin = origin_of(realm)
    # fido2 would take any port, and any host below ours.
    party = PublicKeyCredentialRpEntity(name=realm.name, id=rp_id(realm))
    return Fido2Server(party, verify_origin=lambda asked: asked == origin)


def _plain(options: Any) -> dict[str, Any]:
    """The options as JSON values."""
    found: dict[str, Any] = json.loads(json.dumps(dict(options), default=_text))
    return dict(found.get("publicKey", found))


def _text(value: Any) -> Any:
    return websafe_encode(value) if isinstance(value, bytes) else dict(value)


def parsed(text: str) -> dict[str, Any]:
    """A credential as the browser sends it. Raises WrongCode."""
    if len(text) > MAX_CREDENTIAL:
        raise WrongCode
    try:
        found = json.loads(text)
    except ValueError:
        raise WrongCode from None
    if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
        raise WrongCode
    return found


# --- adding one -------------------------------------------------------------------------------------------------------


def creation_options(
    realm: Realm, user: User, held: Sequence[AuthenticatorDevice], *, passkey: bool = False
) -> tuple[dict[str, Any], State]:
    """What `navigator.credentials.create` is asked. passkey: it must be able to sign in alone."""
    options, state = _server(realm).register_begin(
        PublicKeyCredentialUserEntity(name=user.get_username(), id=user.pk.bytes, display_name=user.display_name),
        credentials=[credential_of(device) for device in held],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED if passkey else ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED if passkey else UserVerificationRequirement.PREFERRED,
        extensions={"credProps": True},
    )
    return _plain(options), dict(state)


def registered(realm: Realm, state: State, credential: Mapping[str, Any]) -> AuthenticatorData:
    """What was created. Raises WrongCode for an answer to another question, origin or relying party."""
    try:
        return _server(realm).register_complete(dict(state), RegistrationResponse.from_dict(credential))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise WrongCode from None


# --- using one --------------------------------------------------------------------------------------------------------


def amr_of_data(data: AuthenticatorData) -> tuple[str, ...]:
    """RFC 8176: a key bound to one device or a synced one; `user` when the person was verified."""
    synced = bool(data.flags & AuthenticatorData.FLAG.BE)
    return (("swk" if synced else "hwk"), *(("user",) if data.is_user_verified() else ()))


@dataclass(frozen=True, slots=True)
class Assertion:
    """A right answer: by which credential, its counter, and what it showed (RFC 8176)."""

    device: AuthenticatorDevice
    counter: int
    amr: tuple[str, ...]


def credential_of(device: AuthenticatorDevice) -> AttestedCredentialData:
    """The public key of a row, as allauth keeps it: the whole registration."""
    found: AttestedCredentialData = device.authenticator.wrap().authenticator_data.credential_data
    return found


def request_options(
    realm: Realm, held: Sequence[AuthenticatorDevice] | None, *, verified: bool
) -> tuple[dict[str, Any], State]:
    """What `navigator.credentials.get` is asked. held: the person's own after a first step; None: whoever comes.

    Before a first step no list is ever given: whoever asks learns nothing of anybody (LG-23).
    """
    options, state = _server(realm).authenticate_begin(
        credentials=[credential_of(device) for device in held] if held else None,
        user_verification=UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED,
    )
    return _plain(options), {**state, "made": int(clock.now().timestamp())}


def asserted(
    realm: Realm, state: State, credential: Mapping[str, Any], held: Sequence[AuthenticatorDevice], *, verified: bool
) -> Assertion:
    """Checks challenge, origin, relying party, presence and signature; and verification, if `verified` is wanted.

    Raises WrongCode.
    """
    try:
        answer = AuthenticationResponse.from_dict(credential)
        keys = {credential_of(device).credential_id: device for device in held}
        used = _server(realm).authenticate_complete(dict(state), [credential_of(d) for d in held], answer)
        data = answer.response.authenticator_data
        device = keys[used.credential_id]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise WrongCode from None
    if verified and not data.is_user_verified():
        raise WrongCode
    return Assertion(device, data.counter, amr_of_data(data))


def user_handle(credential: Mapping[str, Any]) -> UUID:
    """Whom the browser says that it is. Raises WrongCode."""
    try:
        return UUID(bytes=websafe_decode(credential["response"]["userHandle"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise WrongCode from None


# --- challenges of sign-in pages: nothing is stored for somebody who only looks at one --------------------------------


def _salt(realm: Realm) -> str:
    return f"identity.mfa.passkey.{realm.pk}"


def signed_state(realm: Realm, state: State) -> str:
    """The challenge in a token that comes back with the answer; the command lets it serve once."""
    return signing.dumps({"challenge": state["challenge"], "made": state["made"]}, salt=_salt(realm))


def read_signed_state(realm: Realm, token: str) -> State:
    """The state, always with verification of the person. Raises WrongCode for a forged, foreign or old one."""
    try:
        found = signing.loads(token, salt=_salt(realm), max_age=LIFETIME)
        return {
            "challenge": str(found["challenge"]),
            "user_verification": UserVerificationRequirement.REQUIRED,
            "made": int(found["made"]),
        }
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        raise WrongCode from None


def stored_name(authenticator: Authenticator) -> str:
    """What its person calls it."""
    return str(authenticator.data.get("name", ""))
