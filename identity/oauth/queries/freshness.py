"""Clients that are remembered between requests, and proven fresh by the first query of each, as realms are.

Who calls is asked by every request, and is nearly always the same. So a process remembers the clients that it let
in, and whoever is given a remembered one asks, in a query that it makes anyway, whether each row that it was read
from is still the one that was read: another process may have disabled the application or withdrawn its secret a
moment ago. Nothing that a remembered client led to counts before that.

PostgreSQL alone tells versions of rows; on SQLite no client is remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from identity.kernel import clock, sql
from identity.oauth.queries.mapped import mapped_column
from identity.realms.freshness import MARK
from identity.realms.models import Realm

# What names the version of a row: who wrote it, and where it lies. Both databases have both names for the column.
_CLIENT = "a.xmin, a.ctid, '/', s.xmin, s.ctid"
_KEY = "'/', k.xmin, k.ctid"
STAMP = {"postgresql": f"concat({_CLIENT})", "sqlite": "''"}
ISSUING_STAMP = {"postgresql": f"concat({_CLIENT}, {_KEY})", "sqlite": "''"}
"""Columns beside the rows of a client (a), its secret (s) and the key that signs for it (k)."""

ACTS_FOR = (
    "CASE WHEN a.acts_for_id IS NOT NULL THEN (SELECT api.identifier FROM identity_resourceserver api"
    " WHERE api.realm_id = %(realm)s AND api.id = a.acts_for_id) END"
)
_AUDIENCES_FROM = """ FROM identity_scope sc
  LEFT JOIN identity_resourceserver rs ON rs.realm_id = %(realm)s AND rs.id = sc.resource_server_id
  WHERE sc.realm_id = %(realm)s)
"""
# Both databases make the same JSON text of it: [["orders.read", "https://api.example"], …]
AUDIENCES = {
    "postgresql": "(SELECT json_agg(json_build_array(sc.name, rs.identifier) ORDER BY sc.name)::text" + _AUDIENCES_FROM,
    "sqlite": "(SELECT json_group_array(json_array(sc.name, rs.identifier))" + _AUDIENCES_FROM,
}

_ROWS = (
    "FROM identity_application a LEFT JOIN identity_clientsecret s ON "
    + sql.in_realm("s")
    + " AND s.id = %(client_secret)s AND (s.expires_at IS NULL OR s.expires_at > %(client_now)s)"
)
_SIGNS = " LEFT JOIN identity_signingkey k ON " + sql.in_realm("k") + " AND k.id = %(client_key)s"
_WHERE = " WHERE " + sql.in_realm("a") + " AND a.id = %(client)s"


class StaleClient(Exception):
    """A remembered client has changed: begin again with its rows as they are."""


@dataclass(slots=True)
class Proof:
    """What shows, once in a request, that a remembered client is as it was. column: to be asked; may be null."""

    column: str
    params: Mapping[str, Any]
    mark: str
    is_given: bool = False

    def take(self, mark: str | None) -> None:
        """Raises StaleClient unless `mark`, just read, is what was remembered."""
        if mark != self.mark:
            raise StaleClient
        self.is_given = True


@cache
def _column(issuing: bool) -> str:
    if issuing:
        told = f"{ISSUING_STAMP['postgresql']}, '/', {AUDIENCES['postgresql']}, '/', {mapped_column('postgresql')}"
        return f"(SELECT concat({MARK}, '/', {told}) {_ROWS}{_SIGNS}{_WHERE})"
    return f"(SELECT concat({MARK}, '/', {STAMP['postgresql']}, '/', {ACTS_FOR}) {_ROWS}{_WHERE})"


def proof_of(
    realm: Realm, *, application_id: UUID, secret_id: UUID | None, key_id: UUID | None, issuing: bool, mark: str
) -> Proof:
    """What proves in one request that these rows are still the ones that `mark` was made of, and that the realm is."""
    params = {
        "client": application_id,
        "client_secret": secret_id,
        "client_key": key_id,
        "client_now": clock.now(),
    }
    return Proof(_column(issuing), params, f"{realm.version}{realm.status}/{mark}")


def asked_with(proof: Proof | None) -> tuple[str, Mapping[str, Any]]:
    """The column that proves a client, and its parameters; a null where there is nothing to prove."""
    return (proof.column, proof.params) if proof is not None else ("NULL", {})


def taken(proof: Proof | None, mark: str | None) -> None:
    """What that column told. Raises StaleClient."""
    if proof is not None:
        proof.take(mark)


def condition_of(proof: Proof | None) -> tuple[str, Mapping[str, Any]]:
    """For a step instead of a query: what must hold, and its parameters; an empty text where there is nothing to prove.

    A step that was taken is the proof.
    """
    if proof is None:
        return "", {}
    return f"{proof.column} = %(client_mark)s", {**proof.params, "client_mark": proof.mark}
