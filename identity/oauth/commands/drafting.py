"""A code that is stored while its conditions are read: on PostgreSQL, authorization costs one statement, not two."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from identity.kernel import clock, sql
from identity.kernel.crypto import keyed_hash
from identity.kernel.ids import uuid7
from identity.oauth import rules
from identity.oauth.models import Grant
from identity.oauth.queries.readiness import Ready, find_ready, parameters_of, read_ready, ready_statement
from identity.oauth.queries.standing import CODE_LABEL
from identity.realms.models import Realm
from identity.sessions.store import TOUCH_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a request says of the code that it may get, and that code, which nobody knows yet."""

    redirect_uri: str
    scopes: list[str]
    code_challenge: str
    nonce: str
    code: str


_GRANT = {
    "id": "%(grant)s",
    "realm_id": "%(realm)s",
    # DOT's column for the clear text is unique and never null: it gets the id; the code itself is kept nowhere.
    "code": "%(grant_hex)s",
    "code_hash": "%(code_hash)s",
    "user_id": "u_id",
    "application_id": "a_id",
    "session_id": "s_id",
    "created": "%(now)s",
    "updated": "%(now)s",
    "expires": "%(code_expires)s",
    "redirect_uri": "%(redirect_uri)s",
    "scope": "%(scope)s",
    "code_challenge": "%(code_challenge)s",
    "code_challenge_method": "%(code_challenge_method)s",
    "nonce": "%(nonce)s",
    "auth_time": "s_authenticated_at",
    "amr": "s_amr",
    "acr": "s_acr",
    "offline": "%(offline)s",
    "offline_until": "CASE WHEN a_skip_consent AND a_first_party THEN NULL ELSE c_offline_until END",
}
# Where one of these does not hold, no code comes of the request for sure.
_HOPEFUL = (
    " WHERE s_status = 'active' AND u_status = 'active' AND a_status = 'active' AND s_authenticated_at IS NOT NULL"
    " AND s_expires_at > %(now)s AND s_last_seen_at >= %(seen_since)s"
    " AND (c_id IS NOT NULL OR (a_skip_consent AND a_first_party))"
)


@cache
def _statement(hashes: str, relaxed: str) -> str:
    last = f", {relaxed}" if relaxed else ""
    return (
        f"WITH found AS MATERIALIZED ({ready_statement(hashes, 'postgresql', named=True)}),"  # noqa: S608 - texts of ours
        f" kept AS ({sql.insert_of(Grant, _GRANT)} FROM found{_HOPEFUL} RETURNING id)"
        f" SELECT found.*, (SELECT id FROM kept){last} FROM found"
    )


def draft_code(  # house: HR02 who acts is what it finds out; HR03 a draft opens nothing, token.issued says it
    realm: Realm, draft: Draft, *, session_key: str, client_id: str
) -> Ready | None:
    """What a code depends on, or None; on PostgreSQL, the code that it leads to is stored in the same statement.

    The caller then judges what was read, and gives the code away only if all of it holds. A draft that he drops opens
    nothing, since nobody has seen it: of its 256 random bits only a keyed hash was stored, and it expires within the
    minute that a code lives. Raises StaleRealm.
    """
    if sql.vendor() != "postgresql":
        return find_ready(realm, session_key=session_key, client_id=client_id, redirect_uri=draft.redirect_uri)
    now, grant_id = clock.now(), uuid7()
    hashes, params = parameters_of(realm, session_key=session_key, client_id=client_id, redirect_uri=draft.redirect_uri)
    params |= {
        "grant": grant_id,
        "grant_hex": grant_id.hex,
        "code_hash": keyed_hash(CODE_LABEL, realm.pk, draft.code),
        "now": now,
        "seen_since": now - TOUCH_AFTER,
        "code_expires": now + timedelta(seconds=realm.setting("code_lifetime")),
        "scope": " ".join(draft.scopes),
        "code_challenge": draft.code_challenge,
        "code_challenge_method": Grant.CODE_CHALLENGE_S256,
        "nonce": draft.nonce,
        "offline": rules.OFFLINE in draft.scopes,
    }
    late = sql.relaxed()
    rows = sql.write(_statement(hashes, late), params)
    if not rows:
        return None
    row = rows[0][:-1] if late else rows[0]
    return read_ready(realm, row[:-1], is_code_kept=row[-1] is not None)
