"""Codes and tokens: issued, redeemed and rotated, each step single-use under concurrency (DECISIONS 18, 19, 23)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from identity.applications.models import Application, ClientSecret
from identity.audit import publishing
from identity.audit.models import AuditEvent
from identity.audit.record import columns_of, rows_of
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, new_secret
from identity.kernel.events import Event
from identity.kernel.ids import uuid7
from identity.mfa.rules import level_of_acr
from identity.oauth import events, rules
from identity.oauth.commands.revocation import punish_replay, punish_reuse
from identity.oauth.errors import invalid_grant
from identity.oauth.models import Grant, RefreshFamily, RefreshToken
from identity.oauth.queries.clients import Client
from identity.oauth.queries.freshness import StaleClient, condition_of
from identity.oauth.queries.mapped import told_by
from identity.oauth.queries.standing import CODE_LABEL, REFRESH_LABEL, find_code, find_refresh
from identity.oauth.tokens import Minted, Person, mint
from identity.realms.models import Realm
from identity.sessions.models import Session

NOTE_USE_EVERY = timedelta(minutes=10)
REFUSED_CODE = "The code is not valid."
REFUSED_REFRESH = "The refresh token is not valid."


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint answers with."""

    minted: Minted
    refresh_token: str | None = None

    def answer(self) -> dict[str, Any]:
        """The token response."""
        return self.minted.answer(self.refresh_token)


def _take(
    actor: Actor, event: Event, step: sql.Step, *, on_behalf_of: UUID | None = None, session_id: UUID | None = None
) -> bool:
    """Take the step with its event in one statement, and publish the event once it is committed.

    session_id: of the person whom an application acts for.
    """
    columns = columns_of(actor, event, on_behalf_of=on_behalf_of, in_one_statement=True)
    if session_id is not None:
        columns["session_id"] = session_id
    if not sql.take(step, *rows_of(columns)):
        return False
    if publishing.has_publishers():
        transaction.on_commit(partial(publishing.publish, AuditEvent(**columns)), robust=True)
    return True


def _note_use(client: Client, now: datetime) -> None:
    """When the application and its secret were last used, to ten minutes, so that not each token is a write."""
    application = client.application
    if application.last_used_at is None or now - application.last_used_at > NOTE_USE_EVERY:
        with transaction.atomic():
            Application.objects.filter(pk=application.pk).update(last_used_at=now)
    if client.secret_id is not None and (client.secret_used_at is None or now - client.secret_used_at > NOTE_USE_EVERY):
        with transaction.atomic():
            ClientSecret.objects.filter(pk=client.secret_id).update(last_used_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person approved, and what the code will be bound to."""

    scopes: list[str]
    redirect_uri: str
    code_challenge: str
    nonce: str = ""
    auth_time: datetime
    offline: bool = False
    offline_until: datetime | None = None


def issue_code(  # house: HR03 token.issued says it: a code alone opens nothing
    actor: Actor, *, realm: Realm, application: Application, session: Session, approval: Approval, code: str
) -> None:
    """Store an authorization code, hashed, bound to client, redirect URI, challenge, session and sign-in.

    Says nothing: what the code gives is told when it is redeemed, with the person and the session.
    """
    now = clock.now()
    grant_id = uuid7()
    grant = sql.Insert(
        Grant,
        {
            "id": grant_id,
            "realm_id": realm.pk,
            # DOT's column for the clear text is unique and never null: it gets the id; the code itself is kept nowhere.
            "code": grant_id.hex,
            "code_hash": keyed_hash(CODE_LABEL, realm.pk, code),
            "user_id": actor.id,
            "application_id": application.pk,
            "session_id": session.pk,
            "created": now,
            "updated": now,
            "expires": now + timedelta(seconds=realm.setting("code_lifetime")),
            "redirect_uri": approval.redirect_uri,
            "scope": " ".join(approval.scopes),
            "code_challenge": approval.code_challenge,
            "code_challenge_method": Grant.CODE_CHALLENGE_S256,
            "nonce": approval.nonce,
            "auth_time": approval.auth_time,
            "amr": session.amr,
            "acr": session.acr,
            "offline": approval.offline,
            "offline_until": approval.offline_until,
        },
    )
    sql.take(sql.Step(rows=(grant,), relaxed=True))


_USE_CODE = (
    "UPDATE identity_grant SET used_at = %(now)s, updated = %(now)s, issued_jti = %(jti)s WHERE "  # noqa: S608 - texts of ours
    + sql.in_realm("identity_grant")
    + " AND id = %(grant)s AND used_at IS NULL AND expires > %(now)s"
)


def redeem_code(
    actor: Actor, *, realm: Realm, client: Client, code: str, redirect_uri: str, code_verifier: str
) -> Tokens:
    """Tokens for a code, once. A second use revokes what the first one gave (OA-05).

    Raises ProtocolError (invalid_grant), Unavailable. Says token.issued; or code.replayed.
    """
    found, now = find_code(realm, code, asking=client.proof), clock.now()
    if found is None:
        raise invalid_grant(REFUSED_CODE)
    grant, standing = found
    user, application = standing.user, client.application
    if user is None or grant.application_id != application.pk:
        raise invalid_grant(REFUSED_CODE)
    if grant.used_at is not None:
        punish_replay(actor, realm=realm, application=application, grant=grant, user=user)
        raise invalid_grant(REFUSED_CODE)
    if (
        grant.expires <= now
        or grant.redirect_uri != redirect_uri
        or not rules.pkce_matches(code_verifier, grant.code_challenge)
        or not standing.is_usable(realm, application, offline=False)
        or level_of_acr(grant.acr) < level_of_acr(application.required_acr)
    ):
        raise invalid_grant(REFUSED_CODE)
    # A family has the id of the code that founded it: so no index of the code's row changes when it is used.
    family_id = grant.pk if application.allows_grant_type("refresh_token") else None
    session = standing.session
    person = Person(
        user=user,
        sid=session.sid if session else None,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acr=grant.acr,
        roles=standing.roles,
        told=told_by(standing.consent, application),
        family_id=family_id,
    )
    scopes = standing.scopes(grant.scope, application)
    minted = mint(realm, client, scopes=scopes, now=now, person=person, nonce=grant.nonce)
    text = new_secret()
    said = events.TokenIssued(
        target_id=application.pk,
        name=application.name,
        grant_type="authorization_code",
        scope=" ".join(scopes),
        jti=minted.jti,
        user_id=user.pk,
        family_id=family_id,
    )
    step = sql.Step(
        guard=_USE_CODE,
        params={"now": now, "jti": minted.jti, "realm": realm.pk, "grant": grant.pk},
        rows=_new_family(realm, grant, family_id, text, now) if family_id else (),
    )
    if not _take(actor, said, step, on_behalf_of=user.pk, session_id=session.pk if session else None):
        _punish_if_used(actor, realm, application, code)
        raise invalid_grant(REFUSED_CODE)
    _note_use(client, now)
    return Tokens(minted, text if family_id else None)


def _punish_if_used(actor: Actor, realm: Realm, application: Application, code: str) -> None:
    """Somebody redeemed the code between our look and our step: that is a second use as well."""
    again = find_code(realm, code)
    if again is not None and again[0].used_at is not None and again[1].user is not None:
        punish_replay(actor, realm=realm, application=application, grant=again[0], user=again[1].user)


def _new_family(realm: Realm, grant: Grant, family_id: UUID, text: str, now: datetime) -> tuple[sql.Insert, ...]:
    """A refresh family of this authorization and its first token."""
    ends = now + timedelta(seconds=realm.setting("refresh_token_max_lifetime"))
    if grant.offline and grant.offline_until is not None:
        ends = min(ends, grant.offline_until)
    family = {
        "id": family_id,
        "realm_id": realm.pk,
        "user_id": grant.user_id,
        "application_id": grant.application_id,
        "session_id": grant.session_id,
        "scope": grant.scope,
        "offline": grant.offline,
        "auth_time": grant.auth_time,
        "amr": grant.amr,
        "acr": grant.acr,
        "created_at": now,
        "expires_at": ends,
        "last_used_at": now,
    }
    first = _new_refresh(
        realm,
        text,
        now,
        family_id=family_id,
        user_id=grant.user_id,
        application_id=grant.application_id,
        family_ends=ends,
    )
    return sql.Insert(RefreshFamily, family), first


def _new_refresh(
    realm: Realm,
    text: str,
    now: datetime,
    *,
    family_id: UUID,
    user_id: UUID,
    application_id: UUID,
    family_ends: datetime,
    generation: int = 0,
) -> sql.Insert:
    token_id = uuid7()
    sliding = timedelta(seconds=realm.setting("refresh_token_lifetime"))
    return sql.Insert(
        RefreshToken,
        {
            "id": token_id,
            "realm_id": realm.pk,
            # As with codes: DOT's columns for the clear text and its checksum get the id's.
            "token": token_id.hex,
            "token_checksum": hashlib.sha256(token_id.hex.encode()).hexdigest(),
            "token_hash": keyed_hash(REFRESH_LABEL, realm.pk, text),
            "token_family": family_id,
            "family_id": family_id,
            "user_id": user_id,
            "application_id": application_id,
            "generation": generation,
            "created": now,
            "updated": now,
            "expires_at": rules.refresh_expiry(now=now, sliding=sliding, family_ends=family_ends),
        },
    )


_ROTATE = (
    "UPDATE identity_refreshtoken SET rotated_at = %(now)s, updated = %(now)s WHERE "  # noqa: S608 - texts of ours
    + sql.in_realm("identity_refreshtoken")
    + " AND id = %(token)s AND rotated_at IS NULL AND EXISTS (SELECT 1 FROM identity_refreshfamily f WHERE "
    + sql.in_realm("f")
    + " AND f.id = %(family)s AND f.status = 'active')"
)
_TOUCH = (
    "UPDATE identity_refreshfamily SET last_used_at = %(now)s WHERE "  # noqa: S608 - texts of ours
    + sql.in_realm("identity_refreshfamily")
    + " AND id = %(family)s"
)


def rotate_refresh(actor: Actor, *, realm: Realm, client: Client, refresh_token: str, scope: str = "") -> Tokens:
    """New tokens for a refresh token, once; of parallel uses exactly one succeeds (OA-14).

    A token that comes again is judged by DECISIONS 19. Raises ProtocolError (invalid_grant, invalid_scope),
    Unavailable. Says token.refreshed; or refresh.reused.
    """
    found, now = find_refresh(realm, refresh_token, asking=client.proof), clock.now()
    if found is None or found.token.application_id != client.application.pk:
        raise invalid_grant(REFUSED_REFRESH)
    token, family, standing, application = found.token, found.family, found.standing, client.application
    user = standing.user
    if user is None or token.rotated_at is not None:
        _judge(actor, realm, client, refresh_token, now)
        raise invalid_grant(REFUSED_REFRESH)
    if not found.is_live(realm, application, now):
        raise invalid_grant(REFUSED_REFRESH)
    scopes = rules.narrowed_scopes(scope, standing.scopes(family.scope, application))
    person = Person(
        user=user,
        sid=standing.session.sid if standing.session else None,
        auth_time=family.auth_time,
        amr=family.amr,
        acr=family.acr,
        roles=standing.roles,
        told=told_by(standing.consent, application),
        family_id=family.pk,
    )
    minted = mint(realm, client, scopes=scopes, now=now, person=person)
    text = new_secret()
    said = events.TokenRefreshed(
        target_id=application.pk,
        name=application.name,
        scope=" ".join(scopes),
        jti=minted.jti,
        user_id=user.pk,
        family_id=family.pk,
        generation=token.generation + 1,
    )
    fresh = _new_refresh(
        realm,
        text,
        now,
        family_id=family.pk,
        user_id=user.pk,
        application_id=application.pk,
        family_ends=family.expires_at,
        generation=token.generation + 1,
    )
    step = sql.Step(
        guard=_ROTATE,
        also=(_TOUCH,) if family.last_used_at is None or now - family.last_used_at > NOTE_USE_EVERY else (),
        params={"now": now, "realm": realm.pk, "token": token.pk, "family": family.pk},
        rows=(fresh,),
    )
    if not _take(actor, said, step, on_behalf_of=user.pk):
        _judge(actor, realm, client, refresh_token, now)
        raise invalid_grant(REFUSED_REFRESH)
    _note_use(client, now)
    return Tokens(minted, text)


def _judge(actor: Actor, realm: Realm, client: Client, refresh_token: str, now: datetime) -> None:
    """Who comes with a rotated token: somebody who repeats himself, or a thief?"""
    found = find_refresh(realm, refresh_token)
    if found is None or found.standing.user is None or found.token.rotated_at is None:
        return
    if rules.is_theft(rotated_at=found.token.rotated_at, now=now, successor_used=found.successor_used):
        punish_reuse(
            actor,
            application=client.application,
            family=found.family,
            user=found.standing.user,
            generation=found.token.generation,
        )


def issue_for_application(actor: Actor, *, realm: Realm, client: Client, scope: str = "") -> Tokens:
    """A token for the application itself (RFC 6749, 4.4): no person, no refresh token, no ID token.

    Raises ProtocolError (invalid_scope), Unavailable, StaleClient. Says token.issued.
    """
    own = [name for name in client.audiences if name not in (rules.OPENID, rules.OFFLINE)]
    scopes = rules.requested_scopes(scope, own, default=own)
    now = clock.now()
    minted = mint(realm, client, scopes=scopes, now=now, person=None)
    said = events.TokenIssued(
        target_id=client.application.pk,
        name=client.application.name,
        grant_type="client_credentials",
        scope=" ".join(scopes),
        jti=minted.jti,
    )
    only_if, known = condition_of(client.proof)
    if not _take(actor, said, sql.Step(only_if=only_if, params={"realm": realm.pk, **known})):
        raise StaleClient
    if client.proof is not None:
        client.proof.take(client.proof.mark)
    _note_use(client, now)
    return Tokens(minted)
