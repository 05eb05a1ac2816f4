"""Reads of what a realm publishes to everybody: keys, scopes and claims, each document in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from identity.kernel import clock, sql
from identity.oauth.queries.mapped import mapped_column, read_mapped
from identity.realms.freshness import MARK, require_fresh
from identity.realms.models import Realm

# Both databases make the same JSON text of each.
_KEYS = {
    "postgresql": "(SELECT json_agg(json_build_array(k.id, k.public_jwk))::text",
    "sqlite": "(SELECT json_group_array(json_array(k.id, json(k.public_jwk)))",
}
# The end of an overlap is read from the time, not from the job that marks it (DECISIONS 4).
_KEYS_FROM = (
    " FROM identity_signingkey k WHERE k.realm_id = %(realm)s"
    " AND (k.status IN ('active', 'next') OR (k.status = 'retiring' AND k.retire_after > %(now)s)))"
)
_SCOPES = {
    "postgresql": "(SELECT json_agg(json_build_array(CASE WHEN sc.built_in THEN 0 ELSE 1 END, sc.name))::text",
    "sqlite": "(SELECT json_group_array(json_array(CASE WHEN sc.built_in THEN 0 ELSE 1 END, sc.name))",
}
_SCOPES_FROM = " FROM identity_scope sc WHERE sc.realm_id = %(realm)s)"


@dataclass(frozen=True, slots=True)
class Published:
    """The public JWKs that verifiers may trust now, newest first; all scopes, built-in ones first; mapped claims."""

    keys: Sequence[dict[str, Any]]
    scopes: Sequence[str] = ()
    claims: Sequence[str] = ()


@cache
def _statement(vendor: str, *, whole: bool) -> str:
    columns = [MARK, _KEYS[vendor] + _KEYS_FROM]
    if whole:
        columns += [_SCOPES[vendor] + _SCOPES_FROM, mapped_column(vendor)]
    return f"SELECT {', '.join(columns)}"


def _read(realm: Realm, *, whole: bool) -> Sequence[Any]:
    row = sql.fetch_one(_statement(sql.vendor(), whole=whole), {"realm": realm.pk, "now": clock.now()})
    if row is None:
        raise RuntimeError("A SELECT without FROM has one row.")
    require_fresh(realm, row[0])
    return row[1:]


def _keys(text: str | None) -> list[dict[str, Any]]:
    return [jwk for _, jwk in sorted(orjson.loads(text or "[]"), key=lambda each: str(each[0]), reverse=True)]


def published_keys(realm: Realm) -> list[dict[str, Any]]:
    """The key that signs, the next one, and former ones in their overlap. Raises StaleRealm."""
    return _keys(_read(realm, whole=False)[0])


def published(realm: Realm) -> Published:
    """What the discovery document is made of. Raises StaleRealm."""
    keys, scopes, mapped = _read(realm, whole=True)
    return Published(
        keys=_keys(keys),
        scopes=[name for _, name in sorted(orjson.loads(scopes or "[]"))],
        claims=[each.claim for each in read_mapped(mapped)],
    )
