"""Reads of clients: one query tells who calls, what it may have, and which key signs for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any
from uuid import UUID

import orjson

from identity.applications.models import Application, ApplicationStatus, RedirectUri, UriKind
from identity.applications.queries import SECRET_LABEL
from identity.kernel import clock, sql
from identity.kernel.crypto import keyed_hashes
from identity.oauth.claims import Mapped
from identity.oauth.models import SigningKey
from identity.oauth.queries.freshness import ACTS_FOR, AUDIENCES, ISSUING_STAMP, STAMP, Proof, proof_of
from identity.oauth.queries.mapped import mapped_column, read_mapped
from identity.oauth.signing import Signer, signer_of
from identity.realms.freshness import MARK, require_fresh
from identity.realms.models import Realm

APPLICATION = sql.Columns(
    Application,
    "a",
    (
        "id",
        "realm_id",
        "client_id",
        "client_type",
        "name",
        "type",
        "status",
        "grant_types",
        "token_endpoint_auth_method",
        "scopes",
        "first_party",
        "skip_consent",
        "required_acr",
        "last_used_at",
    ),
)
_KEY = sql.Columns(SigningKey, "k", ("id", "kid", "alg", "private_sealed"))


@dataclass(frozen=True, slots=True)
class Client:
    """An application that called, and what was read with it.

    secret_id: the live secret that it presented, or None. audiences: each scope that it may have, with the resource
    server that owns it (None: the realm's own). mapped: which custom attributes become claims. Empty, as is `signer`,
    where no token is issued. acts_for: the identifier of the API that it is, where it is one. key_id: the signer's row.
    mark: what its rows looked like when they were read; empty where the database doesn't tell. proof: set where it was
    not read, but remembered.
    """

    application: Application
    secret_id: UUID | None
    secret_used_at: datetime | None
    audiences: Mapping[str, str | None]
    signer: Signer | None
    acts_for: str | None = None
    mapped: Sequence[Mapped] = ()
    key_id: UUID | None = None
    mark: str = ""
    proof: Proof | None = None

    @property
    def is_authenticated(self) -> bool:
        """Whether it proved itself by a secret. A public client never does, whatever it sends."""
        return self.secret_id is not None and self.application.is_confidential

    @property
    def is_proven(self) -> bool:
        """Whether it is as the database has it: it was read, or a query of this request has shown so since."""
        return self.proof is None or self.proof.is_given

    def to_be_proven(self, proof: Proof) -> "Client":
        """The same one, as remembered. Field by field: `replace` takes four times as long."""
        return Client(
            self.application,
            self.secret_id,
            self.secret_used_at,
            self.audiences,
            self.signer,
            self.acts_for,
            self.mapped,
            self.key_id,
            self.mark,
            proof,
        )

    def audience_of(self, scopes: list[str], issuer: str) -> str | list[str]:
        """The `aud` of a token with these scopes: their resource servers, else the issuer (DECISIONS 18)."""
        found = sorted({audience for name in scopes if (audience := self.audiences.get(name))})
        if not found:
            return issuer
        return found[0] if len(found) == 1 else found


_SECRET = """
LEFT JOIN identity_clientsecret s ON s.realm_id = %(realm)s AND s.application_id = a.id AND s.revoked_at IS NULL
  AND (s.expires_at IS NULL OR s.expires_at > %(now)s) AND s.digest IN ({digests})
"""
_WHERE = "WHERE a.realm_id = %(realm)s AND a.client_id = %(client_id)s AND a.status <> 'deleted'"


def _digests(realm: Realm, secret: str) -> tuple[str, dict[str, Any]]:
    # Without a secret the join finds nothing: no digest is empty.
    return sql.one_of("digest", keyed_hashes(SECRET_LABEL, realm.pk, secret) if secret else [b""])


# Made once for each number of peppers: the same text object again is what makes a prepared statement cheap to find.
@cache
def _client_statement(digests: str, vendor: str) -> str:
    return (
        f"SELECT {APPLICATION.sql}, s.id, s.last_used_at, {MARK}, {ACTS_FOR}, {STAMP[vendor]}"  # noqa: S608 - texts of ours
        f" FROM identity_application a{_SECRET.format(digests=digests)}{_WHERE}"
    )


@cache
def _issuing_statement(digests: str, vendor: str) -> str:
    return (
        f"SELECT {APPLICATION.sql}, {_KEY.sql}, s.id, s.last_used_at, {MARK}, {AUDIENCES[vendor]},"  # noqa: S608 - texts of ours
        f" {mapped_column(vendor)}, {ISSUING_STAMP[vendor]} FROM identity_application a"
        f"{_SECRET.format(digests=digests)}"
        "LEFT JOIN identity_signingkey k ON k.realm_id = %(realm)s AND k.status = 'active' AND k.alg = %(alg)s "
        f"{_WHERE}"
    )


def find_client(realm: Realm, *, client_id: str, secret: str = "") -> Client | None:
    """Who calls, and whether it presented a live secret. For endpoints that issue nothing. Raises StaleRealm.

    By keyed hash: our secrets are random, so no slow hash has to protect them, and the look-up takes the same time for
    a wrong one.
    """
    digests, params = _digests(realm, secret)
    row = sql.fetch_one(
        _client_statement(digests, sql.vendor()),
        {"realm": realm.pk, "client_id": client_id, "now": clock.now(), **params},
    )
    if row is None:
        return None
    (application,), rest = sql.split(row, APPLICATION)
    require_fresh(realm, rest[2])
    mark = rest[4] and f"{rest[4]}/{rest[3] or ''}"
    return Client(application, sql.as_uuid(rest[0]), sql.as_time(rest[1]), {}, None, rest[3], mark=mark)


def find_issuing_client(realm: Realm, *, client_id: str, secret: str = "") -> Client | None:
    """The same for the token endpoint, with scopes, audiences and the signing key of the moment. Raises StaleRealm."""
    digests, params = _digests(realm, secret)
    row = sql.fetch_one(
        _issuing_statement(digests, sql.vendor()),
        {
            "realm": realm.pk,
            "client_id": client_id,
            "now": clock.now(),
            "alg": realm.setting("signing_algorithm"),
            **params,
        },
    )
    if row is None:
        return None
    (application, key), rest = sql.split(row, APPLICATION, _KEY)
    require_fresh(realm, rest[2])
    allowed = set(application.scopes)
    listed = orjson.loads(rest[3] or "[]")
    return Client(
        application,
        sql.as_uuid(rest[0]),
        sql.as_time(rest[1]),
        {name: audience for name, audience in listed if name in allowed},
        key and signer_of(realm.pk, key.pk, key.kid, key.alg, key.private_sealed),
        mapped=read_mapped(rest[4]),
        key_id=key and key.pk,
        # Without a key there is nothing to remember: one is made now.
        mark=f"{rest[5]}/{rest[3] or ''}/{rest[4] or ''}" if key and rest[5] else "",
    )


def origin_is_registered(realm: Realm, *, origin: str, application_id: UUID | None = None) -> bool:
    """Whether a browser of this origin may call the token endpoint: for this application, or any (preflight)."""
    rows = RedirectUri.objects.filter(
        realm=realm, kind=UriKind.ORIGIN, uri=origin, application__status=ApplicationStatus.ACTIVE
    )
    if application_id is not None:
        rows = rows.filter(application_id=application_id)
    return rows.exists()


# --- remembered between requests -------------------------------------------------------------------------------------

Key = tuple[UUID, bool, str, tuple[bytes, ...]]
"""Realm, whether for the token endpoint, client id, and the keyed hashes of the secret that was shown."""

_MOST = 1000
_remembered: dict[Key, Client] = {}
_lock = Lock()


def key_of(realm: Realm, *, client_id: str, secret: str, issuing: bool) -> Key:
    """What a client is remembered by, once it was let in. The secret itself is kept nowhere."""
    digests = keyed_hashes(SECRET_LABEL, realm.pk, secret) if secret else ()
    return realm.pk, issuing, client_id, tuple(digests)


def remembered(realm: Realm, key: Key) -> Client | None:
    """The client that was let in with this before, still to be proven; None if there was none."""
    client = _remembered.get(key)
    # The realm may sign by another algorithm by now; that changes no row of the key that signed before (OA-23).
    if client is None or (client.signer is not None and client.signer.alg != realm.setting("signing_algorithm")):
        return None
    proof = proof_of(
        realm,
        application_id=client.application.pk,
        secret_id=client.secret_id,
        key_id=client.key_id,
        issuing=key[1],
        mark=client.mark,
    )
    return client.to_be_proven(proof)


def remember(key: Key, client: Client) -> None:
    """Keep it, if its rows can tell a change. Bounded: the memory is emptied rather than grown (DS-08)."""
    if not client.mark:
        return
    with _lock:
        if len(_remembered) >= _MOST:
            _remembered.clear()
        _remembered[key] = client


def forget(key: Key) -> None:
    """It could not be proven."""
    with _lock:
        _remembered.pop(key, None)
