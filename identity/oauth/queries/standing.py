"""Reads of what a token depends on: person, session, consent, family, denial and key, in one query each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson

from identity.accounts.models import User
from identity.applications.models import Application
from identity.consent.models import Consent
from identity.gate.grants import grant_is_usable
from identity.gate.usable import is_usable
from identity.kernel import clock, sql
from identity.kernel.crypto import keyed_hashes
from identity.mfa.rules import level_of_acr
from identity.oauth import rules
from identity.oauth.claims import Mapped, allowed_of
from identity.oauth.models import FamilyStatus, Grant, RefreshFamily, RefreshToken
from identity.oauth.queries.clients import APPLICATION, Client
from identity.oauth.queries.freshness import Proof, asked_with, taken
from identity.oauth.queries.mapped import mapped_column, read_mapped, told_by
from identity.oauth.signing import Unverified, verified
from identity.realms.freshness import MARK, require_fresh
from identity.realms.models import Realm
from identity.sessions.models import Session

USER = sql.Columns(
    User,
    "u",
    (
        "id",
        "realm_id",
        "status",
        "locked_until",
        "email",
        "email_verified_at",
        "phone",
        "phone_verified_at",
        "username",
        "name",
        "given_name",
        "family_name",
        "language",
        "time_zone",
        "attributes",
    ),
)
SESSION = sql.Columns(Session, "s", ("id", "realm_id", "user_id", "sid", "status", "last_seen_at", "expires_at"))
CONSENT = sql.Columns(Consent, "c", ("id", "realm_id", "scopes", "attributes", "granted_at", "withdrawn_at"))
WHOLE_CONSENT = sql.Columns(Consent, "c", (*CONSENT.names, "offline", "offline_until"))
FAMILY = sql.Columns(
    RefreshFamily,
    "f",
    (
        "id",
        "realm_id",
        "status",
        "user_id",
        "application_id",
        "session_id",
        "scope",
        "offline",
        "auth_time",
        "amr",
        "acr",
        "expires_at",
        "last_used_at",
    ),
)
TOKEN = sql.Columns(
    RefreshToken,
    "t",
    ("id", "realm_id", "application_id", "family_id", "generation", "created", "rotated_at", "expires_at"),
)
GRANT = sql.Columns(
    Grant,
    "g",
    (
        "id",
        "realm_id",
        "application_id",
        "user_id",
        "session_id",
        "issued_jti",
        "expires",
        "used_at",
        "redirect_uri",
        "scope",
        "code_challenge",
        "nonce",
        "auth_time",
        "amr",
        "acr",
        "offline",
        "offline_until",
    ),
)

CODE_LABEL = "authorization-code"
REFRESH_LABEL = "refresh-token"

_USER = " {join} identity_user u ON u.realm_id = %(realm)s AND u.id = {user}"
_CONSENT = (
    " LEFT JOIN identity_consent c ON c.realm_id = %(realm)s AND c.user_id = {user}"
    " AND c.application_id = {application} AND c.withdrawn_at IS NULL"
)
_ROLES = {
    "postgresql": "(SELECT json_agg(r.name)::text",
    "sqlite": "(SELECT json_group_array(r.name)",
}
# What `access.queries.application_role_names` asks, inside the one query of this step.
_ROLES_FROM = (
    " FROM identity_roleassignment ra JOIN identity_role r ON r.realm_id = %(realm)s AND r.id = ra.role_id"
    " WHERE ra.realm_id = %(realm)s AND ra.user_id = {user} AND r.kind = 'application'"
    " AND (r.application_id IS NULL OR r.application_id = {application}){met})"
)
# A role yields nothing until its holder has shown what it asks for.
_UNMET = {
    "postgresql": " AND NOT (strpos(r.requirements::text, '\"{word}\"') > 0 AND u.{column} IS NULL)",
    "sqlite": " AND NOT (instr(r.requirements, '\"{word}\"') > 0 AND u.{column} IS NULL)",
}
_SHOWN = {
    "verified_email": "email_verified_at",
    "verified_phone": "phone_verified_at",
    "second_factor": "second_factor_since",
}


@cache
def _roles_of(vendor: str, user: str, application: str) -> str:
    met = "".join(_UNMET[vendor].format(word=word, column=column) for word, column in _SHOWN.items())
    return _ROLES[vendor] + _ROLES_FROM.format(user=user, application=application, met=met)


_SESSION = " LEFT JOIN identity_session s ON s.realm_id = %(realm)s AND s.id = {session}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that a grant of a person to an application depends on, as it is now."""

    user: User | None
    session: Session | None
    consent: Consent | None
    family: RefreshFamily | None = None
    roles: Sequence[str] = ()

    def is_usable(self, realm: Realm, application: Application, *, offline: bool) -> bool:
        """Whether realm, person, application, consent, session (unless offline) and family still stand."""
        if self.family is not None and self.family.status != FamilyStatus.ACTIVE:
            return False
        return grant_is_usable(
            realm,
            user=self.user,
            application=application,
            consent=self.consent,
            session=self.session,
            offline=offline,
        )

    def scopes(self, granted: str, application: Application) -> list[str]:
        """What is left of granted scopes now."""
        consented = None if self.consent is None else [*self.consent.scopes, rules.OFFLINE]
        return rules.standing_scopes(granted.split(), allowed=application.scopes, consented=consented)


def find_code(realm: Realm, code: str, *, asking: Proof | None = None) -> tuple[Grant, Standing] | None:
    """The authorization code of this text with what it depends on, used and expired ones too; None if there is none.

    asking: of a remembered client, which is proven by the way. Raises StaleClient.
    """
    hashes, params = sql.one_of("hash", keyed_hashes(CODE_LABEL, realm.pk, code))
    column, known = asked_with(asking)
    row = sql.fetch_one(_code_statement(hashes, sql.vendor(), column), {"realm": realm.pk, **params, **known})
    if row is None:
        return None
    taken(asking, row[-1])
    (grant, user, session, consent, family), rest = sql.split(row, GRANT, USER, SESSION, CONSENT, FAMILY)
    standing = Standing(user=user, session=session, consent=consent, family=family, roles=_names(rest[0]))
    return grant, standing


@cache
def _code_statement(hashes: str, vendor: str, proof: str) -> str:
    roles = _roles_of(vendor, "g.user_id", "g.application_id")
    return (
        f"SELECT {GRANT.sql}, {USER.sql}, {SESSION.sql}, {CONSENT.sql}, {FAMILY.sql}, {roles}, {proof}"  # noqa: S608 - our columns
        " FROM identity_grant g"
        + _USER.format(join="JOIN", user="g.user_id")
        + _SESSION.format(session="g.session_id")
        + _CONSENT.format(user="g.user_id", application="g.application_id")
        + " LEFT JOIN identity_refreshfamily f ON f.realm_id = %(realm)s AND f.id = g.id"
        f" WHERE g.realm_id = %(realm)s AND g.code_hash IN ({hashes})"
    )


def _names(text: str | None) -> list[str]:
    return sorted(set(orjson.loads(text) if text else ()))


@dataclass(frozen=True, slots=True)
class FoundRefresh:
    """A refresh token of whatever state. successor_used: the one that came after it was rotated as well."""

    token: RefreshToken
    family: RefreshFamily
    standing: Standing
    successor_used: bool

    def is_live(self, realm: Realm, application: Application, now: datetime) -> bool:
        """Whether this application could use it now.

        What the application requires is asked of what was shown when the family began: who requires a second factor
        from today on has nobody come on with one factor for another ninety days. The way back is authorize, which
        asks for it. A change of password that is due stops no refresh: it is due at the next sign-in, and who wants
        open sessions to end says so.
        """
        token, family = self.token, self.family
        if token.application_id != application.pk or token.rotated_at is not None:
            return False
        if level_of_acr(family.acr) < level_of_acr(application.required_acr):
            return False
        if token.expires_at is None or token.expires_at <= now or family.expires_at <= now:
            return False
        return self.standing.is_usable(realm, application, offline=family.offline)


def find_refresh(realm: Realm, text: str, *, asking: Proof | None = None) -> FoundRefresh | None:
    """The refresh token of this text with what it depends on, or None.

    asking: as in `find_code`. Raises StaleClient.
    """
    hashes, params = sql.one_of("hash", keyed_hashes(REFRESH_LABEL, realm.pk, text))
    column, known = asked_with(asking)
    row = sql.fetch_one(_refresh_statement(hashes, sql.vendor(), column), {"realm": realm.pk, **params, **known})
    if row is None:
        return None
    taken(asking, row[-1])
    (token, family, user, session, consent), rest = sql.split(row, TOKEN, FAMILY, USER, SESSION, CONSENT)
    standing = Standing(user=user, session=session, consent=consent, family=family, roles=_names(rest[1]))
    return FoundRefresh(token, family, standing, bool(rest[0]))


@cache
def _refresh_statement(hashes: str, vendor: str, proof: str) -> str:
    return (
        f"SELECT {TOKEN.sql}, {FAMILY.sql}, {USER.sql}, {SESSION.sql}, {CONSENT.sql},"  # noqa: S608 - our columns
        # Only of a token that comes again: a family is as long as its person is patient.
        " CASE WHEN t.rotated_at IS NULL THEN FALSE ELSE EXISTS (SELECT 1 FROM identity_refreshtoken n"
        " WHERE n.realm_id = %(realm)s AND n.family_id = t.family_id AND n.generation > t.generation + 1) END, "
        + _roles_of(vendor, "f.user_id", "f.application_id")
        + f", {proof} FROM identity_refreshtoken t"
        " JOIN identity_refreshfamily f ON f.realm_id = %(realm)s AND f.id = t.family_id"
        + _USER.format(join="JOIN", user="f.user_id")
        + _SESSION.format(session="f.session_id")
        + _CONSENT.format(user="f.user_id", application="f.application_id")
        + f" WHERE t.realm_id = %(realm)s AND t.token_hash IN ({hashes})"
    )


def standing_of(realm: Realm, *, user_id: UUID, application_id: UUID) -> Standing:
    """What tokens of this person for this application would depend on now, before any session: for a preview."""
    row = sql.fetch_one(
        _person_statement(sql.vendor()), {"realm": realm.pk, "user": user_id, "application": application_id}
    )
    if row is None:
        return Standing(user=None, session=None, consent=None)
    (user, consent), rest = sql.split(row, USER, WHOLE_CONSENT)
    return Standing(user=user, session=None, consent=consent, roles=_names(rest[0]))


@cache
def _person_statement(vendor: str) -> str:
    roles = _roles_of(vendor, "%(user)s", "%(application)s")
    return (
        f"SELECT {USER.sql}, {WHOLE_CONSENT.sql}, {roles} FROM identity_user u"  # noqa: S608 - our columns
        + _CONSENT.format(user="%(user)s", application="%(application)s")
        + " WHERE u.realm_id = %(realm)s AND u.id = %(user)s"
    )


def live_refresh(realm: Realm, text: str, client: Client) -> FoundRefresh | None:
    """A refresh token of this client that could be used now, or None. Raises StaleClient."""
    found = find_refresh(realm, text, asking=client.proof)
    return found if found is not None and found.is_live(realm, client.application, clock.now()) else None


@dataclass(frozen=True, slots=True)
class LiveToken:
    """An access token that is good now: signed by a key of ours that is published, not expired, not denied, usable.

    mapped: which custom attributes are claims for its scopes, of those that the person was asked about.
    """

    claims: dict[str, Any]
    jti: UUID
    application: Application
    user: User | None
    family_id: UUID | None
    scopes: list[str]
    mapped: Sequence[Mapped] = ()


def _uuid_claim(claims: dict[str, Any], name: str) -> UUID | None:
    try:
        return UUID(claims[name])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


@cache
def _token_statement(vendor: str, proof: str) -> str:
    return (
        f"SELECT {APPLICATION.sql}, {USER.sql}, {SESSION.sql}, {CONSENT.sql}, {FAMILY.sql},"  # noqa: S608 - our columns
        f" {MARK}, k.alg, k.public_jwk, k.status, k.retire_after, EXISTS (SELECT 1 FROM identity_tokendenial d"
        " WHERE d.realm_id = %(realm)s AND d.jti = %(jti)s),"
        f" {mapped_column(vendor)}, {proof} FROM identity_application a"
        " JOIN identity_signingkey k ON k.realm_id = %(realm)s AND k.kid = %(kid)s"
        + _USER.format(join="LEFT JOIN", user="%(user)s")
        + " LEFT JOIN identity_session s ON s.realm_id = %(realm)s AND s.sid = %(sid)s"
        + _CONSENT.format(user="%(user)s", application="a.id")
        + " LEFT JOIN identity_refreshfamily f ON f.realm_id = %(realm)s AND f.id = %(family)s"
        " WHERE a.realm_id = %(realm)s AND a.client_id = %(client_id)s"
    )


def find_access_token(realm: Realm, found: Unverified, *, issuer: str, asking: Proof | None = None) -> LiveToken | None:
    """The token as it stands now, or None for whatever reason; the reason is told to nobody. Raises StaleRealm.

    asking: as in `find_code`. Raises StaleClient.

    One query by what the token claims, then the signature, then everything that it depends on. A token of another
    realm fails thrice: its key is not here, its issuer differs, and none of its ids exists in this realm (TI-19).
    """
    claims = found.claims
    jti, client_id, subject = _uuid_claim(claims, "jti"), claims.get("client_id"), claims.get("sub")
    user_id = _uuid_claim(claims, "sub")
    own = isinstance(subject, str) and subject == client_id
    if jti is None or not isinstance(client_id, str) or (user_id is None and not own):
        return None
    column, known = asked_with(asking)
    row = sql.fetch_one(
        _token_statement(sql.vendor(), column),
        {
            **known,
            "realm": realm.pk,
            "client_id": client_id,
            "kid": found.kid,
            "jti": jti,
            "user": None if own else user_id,
            "sid": _uuid_claim(claims, "sid"),
            "family": _uuid_claim(claims, "fid"),
        },
    )
    if row is None:
        return None
    (application, user, session, consent, family), rest = sql.split(row, APPLICATION, USER, SESSION, CONSENT, FAMILY)
    mark, alg, jwk, key_status, retire_after, denied, mapped, proven = rest
    taken(asking, proven)
    require_fresh(realm, mark)
    now = clock.now()
    if denied or not _key_is_trusted(key_status, sql.as_time(retire_after), now):
        return None
    if not verified(found, public_jwk=jwk, alg=alg) or not _times_are_right(claims, issuer, now):
        return None
    scope = claims.get("scope", "")
    if own:
        if not is_usable(realm, application=application) or not application.allows_grant_type("client_credentials"):
            return None
        left = [name for name in scope.split() if name in application.scopes]
        return LiveToken(claims, jti, application, None, None, left)
    if "fid" in claims and family is None:
        return None
    standing = Standing(user=user, session=session, consent=consent, family=family)
    if not standing.is_usable(realm, application, offline=family is not None and family.offline):
        return None
    if consent is not None and claims["iat"] + 1 < consent.granted_at.timestamp():
        # Issued under an earlier consent that was withdrawn: a new one does not bring it back.
        return None
    family_id = family.pk if family else None
    scopes = standing.scopes(scope, application)
    allowed = tuple(allowed_of(read_mapped(mapped), told_by(consent, application)))
    return LiveToken(claims, jti, application, user, family_id, scopes, allowed)


def _key_is_trusted(status: str, retire_after: datetime | None, now: datetime) -> bool:
    if status in ("active", "next"):
        return True
    return status == "retiring" and retire_after is not None and retire_after > now


def _times_are_right(claims: dict[str, Any], issuer: str, now: datetime) -> bool:
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int) or not isinstance(issued, int) or not isinstance(claims.get("scope", ""), str):
        return False
    return claims.get("iss") == issuer and expires > now.timestamp()
