"""Codes and tokens: issued, redeemed and rotated, each step single-use under concurrency (DECISIONS 18, 19, 23)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models, transaction

from identity.accounts.models import User
from identity.applications.models import Application, ClientSecret
from identity.audit import outbox, publishing
from identity.audit.models import AuditEvent, Outbox
from identity.audit.record import prepare
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, new_secret
from identity.kernel.events import Event
from identity.kernel.ids import uuid7
from identity.oauth import events, rules
from identity.oauth.commands.revocation import punish_replay, punish_reuse
from identity.oauth.errors import invalid_grant
from identity.oauth.models import FamilyStatus, Grant, RefreshFamily, RefreshToken
from identity.oauth.queries.clients import Client
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


def _told(actor: Actor, event: Event, on_behalf_of: UUID | None = None) -> tuple[models.Model, ...]:
    """The audit row and its outbox rows, to be written by the very statement that makes them true."""
    row = prepare(actor, event, on_behalf_of=on_behalf_of)
    return row, *(
        Outbox(event_id=row.id, realm_id=row.realm_id, consumer=consumer)
        for consumer in outbox.consumers_of(event.type)
    )


def _take(step: sql.Step) -> bool:
    """Take the step, and publish its event when it is committed."""
    if not sql.take(step):
        return False
    for row in step.rows:
        if isinstance(row, AuditEvent):
            transaction.on_commit(partial(publishing.publish, row), robust=True)
    return True


def _note_use(client: Client, now: datetime) -> None:
    """When the application and its secret were last used, to ten minutes, so that not each token is a write."""
    application = client.application
    if application.last_used_at is None or now - application.last_used_at > NOTE_USE_EVERY:
        Application.objects.filter(pk=application.pk).update(last_used_at=now)
    if client.secret_id is not None and (client.secret_used_at is None or now - client.secret_used_at > NOTE_USE_EVERY):
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


def issue_code(
    actor: Actor, *, realm: Realm, application: Application, user: User, session: Session, approval: Approval, code: str
) -> Grant:
    """Store an authorization code, hashed, bound to client, redirect URI, challenge, session and sign-in.

    Says code.issued.
    """
    now = clock.now()
    grant_id = uuid7()
    grant = Grant(
        id=grant_id,
        # DOT's column for the clear text is unique and never null: it gets the id, the code itself is kept nowhere.
        code=grant_id.hex,
        code_hash=keyed_hash(CODE_LABEL, realm.pk, code),
        user=user,
        application=application,
        session=session,
        expires=now + timedelta(seconds=realm.setting("code_lifetime")),
        redirect_uri=approval.redirect_uri,
        scope=" ".join(approval.scopes),
        code_challenge=approval.code_challenge,
        code_challenge_method=Grant.CODE_CHALLENGE_S256,
        nonce=approval.nonce,
        auth_time=approval.auth_time,
        amr=session.amr,
        acr=session.acr,
        offline=approval.offline,
        offline_until=approval.offline_until,
    )
    said = events.CodeIssued(
        target_id=application.pk, name=application.name, scope=grant.scope, offline=approval.offline
    )
    with transaction.atomic():
        _take(sql.Step(rows=(grant, *_told(actor, said))))
    return grant


_USE_CODE = (
    "UPDATE identity_grant SET used_at = %(now)s, updated = %(now)s, issued_jti = %(jti)s, family_id = %(family)s"
    " WHERE realm_id = %(realm)s AND id = %(grant)s AND used_at IS NULL AND expires > %(now)s"
)


def redeem_code(
    actor: Actor, *, realm: Realm, client: Client, code: str, redirect_uri: str, code_verifier: str
) -> Tokens:
    """Tokens for a code, once. A second use revokes what the first one gave (OA-05).

    Raises ProtocolError (invalid_grant), Unavailable. Says token.issued; or code.replayed.
    """
    found, now = find_code(realm, code), clock.now()
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
    ):
        raise invalid_grant(REFUSED_CODE)
    family = _new_family(realm, grant, now) if application.allows_grant_type("refresh_token") else None
    session = standing.session
    person = Person(
        user=user,
        sid=session.sid if session else None,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acr=grant.acr,
        roles=standing.roles,
        family_id=family.pk if family else None,
    )
    scopes = standing.scopes(grant.scope, application)
    minted = mint(realm, client, scopes=scopes, now=now, person=person, nonce=grant.nonce)
    text = new_secret()
    first = (family, _new_refresh(realm, family, text, 0, now)) if family else ()
    said = events.TokenIssued(
        target_id=application.pk,
        name=application.name,
        grant_type="authorization_code",
        scope=" ".join(scopes),
        jti=minted.jti,
        user_id=user.pk,
        family_id=person.family_id,
    )
    with transaction.atomic():
        won = _take(
            sql.Step(
                guard=_USE_CODE,
                params={
                    "now": now,
                    "jti": minted.jti,
                    "family": person.family_id,
                    "realm": realm.pk,
                    "grant": grant.pk,
                },
                rows=(*first, *_told(actor, said, user.pk)),
            )
        )
        if won:
            _note_use(client, now)
    if not won:
        _punish_if_used(actor, realm, application, code)
        raise invalid_grant(REFUSED_CODE)
    return Tokens(minted, text if family else None)


def _punish_if_used(actor: Actor, realm: Realm, application: Application, code: str) -> None:
    """Somebody redeemed the code between our look and our step: that is a second use as well."""
    again = find_code(realm, code)
    if again is not None and again[0].used_at is not None and again[1].user is not None:
        punish_replay(actor, realm=realm, application=application, grant=again[0], user=again[1].user)


def _new_family(realm: Realm, grant: Grant, now: datetime) -> RefreshFamily:
    ends = now + timedelta(seconds=realm.setting("refresh_token_max_lifetime"))
    if grant.offline and grant.offline_until is not None:
        ends = min(ends, grant.offline_until)
    return RefreshFamily(
        user_id=grant.user_id,
        application_id=grant.application_id,
        session_id=grant.session_id,
        scope=grant.scope,
        offline=grant.offline,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acr=grant.acr,
        created_at=now,
        expires_at=ends,
        last_used_at=now,
        status=FamilyStatus.ACTIVE,
    )


def _new_refresh(realm: Realm, family: RefreshFamily, text: str, generation: int, now: datetime) -> RefreshToken:
    token_id = uuid7()
    return RefreshToken(
        id=token_id,
        # As with codes: DOT's columns for the clear text get the id.
        token=token_id.hex,
        token_hash=keyed_hash(REFRESH_LABEL, realm.pk, text),
        token_family=family.pk,
        family_id=family.pk,
        user_id=family.user_id,
        application_id=family.application_id,
        generation=generation,
        expires_at=rules.refresh_expiry(
            now=now,
            sliding=timedelta(seconds=realm.setting("refresh_token_lifetime")),
            family_ends=family.expires_at,
        ),
    )


_ROTATE = (
    "UPDATE identity_refreshtoken SET revoked = %(now)s, rotated_at = %(now)s, updated = %(now)s"
    " WHERE realm_id = %(realm)s AND id = %(token)s AND revoked IS NULL AND EXISTS (SELECT 1"
    " FROM identity_refreshfamily WHERE realm_id = %(realm)s AND id = %(family)s AND status = 'active')"
)
_TOUCH = "UPDATE identity_refreshfamily SET last_used_at = %(now)s WHERE realm_id = %(realm)s AND id = %(family)s"


def rotate_refresh(actor: Actor, *, realm: Realm, client: Client, refresh_token: str, scope: str = "") -> Tokens:
    """New tokens for a refresh token, once; of parallel uses exactly one succeeds (OA-14).

    A token that comes again is judged by DECISIONS 19. Raises ProtocolError (invalid_grant, invalid_scope),
    Unavailable. Says token.refreshed; or refresh.reused.
    """
    found, now = find_refresh(realm, refresh_token), clock.now()
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
    with transaction.atomic():
        won = _take(
            sql.Step(
                guard=_ROTATE,
                also=(_TOUCH,),
                params={"now": now, "realm": realm.pk, "token": token.pk, "family": family.pk},
                rows=(
                    _new_refresh(realm, family, text, token.generation + 1, now),
                    *_told(actor, said, user.pk),
                ),
            )
        )
        if won:
            _note_use(client, now)
    if not won:
        _judge(actor, realm, client, refresh_token, now)
        raise invalid_grant(REFUSED_REFRESH)
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

    Raises ProtocolError (invalid_scope), Unavailable. Says token.issued.
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
    with transaction.atomic():
        _take(sql.Step(rows=_told(actor, said)))
        _note_use(client, now)
    return Tokens(minted)
