"""Reads of a whole authorization request: may it be answered with a code, without any page?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from identity.accounts.models import User
from identity.applications.models import Application
from identity.consent.models import Consent
from identity.consent.rules import covers
from identity.kernel import clock, sql
from identity.oauth import rules
from identity.oauth.claims import Mapped
from identity.oauth.queries.clients import APPLICATION
from identity.oauth.queries.mapped import mapped_column, read_mapped
from identity.oauth.queries.standing import USER, WHOLE_CONSENT
from identity.realms.freshness import MARK, require_fresh
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.store import TOUCH_AFTER, key_hashes

_SESSION = sql.Columns(
    Session,
    "s",
    (
        "realm_id",
        "user_id",
        "sid",
        "status",
        "data",
        "authenticated_at",
        "amr",
        "acr",
        "last_seen_at",
        "expires_at",
    ),
)
_USER = sql.Columns(User, "u", (*USER.names, "password"))
NOTE_USE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A live session, its person, and an application that registered exactly this redirect URI.

    mapped: which custom attributes are claims here. is_code_kept: a code for it was stored by the same statement.
    """

    application: Application
    user: User
    session: Session
    consent: Consent | None
    noted_at: datetime | None
    mapped: Sequence[Mapped] = ()
    is_code_kept: bool = False

    @property
    def needs_note(self) -> bool:
        """Whether the use of the application by this session should be noted again."""
        return self.noted_at is None or clock.now() - self.noted_at > NOTE_USE_AFTER


_READY = (
    "SELECT {columns}, n.last_used_at AS noted_at, {mark} AS realm_mark, {mapped} AS mapped FROM identity_session s"
    " JOIN identity_user u ON u.realm_id = %(realm)s AND u.id = s.user_id"
    " JOIN identity_application a ON a.realm_id = %(realm)s AND a.client_id = %(client_id)s"
    " JOIN identity_redirecturi ru ON ru.realm_id = %(realm)s AND ru.application_id = a.id AND ru.kind = 'redirect'"
    " AND ru.uri = %(redirect_uri)s"
    " LEFT JOIN identity_consent c ON c.realm_id = %(realm)s AND c.user_id = u.id AND c.application_id = a.id"
    " AND c.withdrawn_at IS NULL"
    " LEFT JOIN identity_sessionapplication n ON n.realm_id = %(realm)s AND n.session_id = s.id"
    " AND n.application_id = a.id"
    " WHERE s.realm_id = %(realm)s AND s.key_hash IN ({hashes})"
)
"""What a code depends on; needs the parameters of `parameters_of`."""


_PARTS = (_SESSION, _USER, APPLICATION, WHOLE_CONSENT)


@cache
def ready_statement(hashes: str, vendor: str, *, named: bool = False) -> str:
    """The query. named: each column has a name of its own, for a statement around it."""
    columns = ", ".join(part.named if named else part.sql for part in _PARTS)
    return _READY.format(columns=columns, hashes=hashes, mark=MARK, mapped=mapped_column(vendor))


def parameters_of(realm: Realm, *, session_key: str, client_id: str, redirect_uri: str) -> tuple[str, dict[str, Any]]:
    """The list of hashes to look up, and the query's parameters."""
    hashes, params = sql.one_of("hash", key_hashes(realm, session_key))
    return hashes, {"realm": realm.pk, "client_id": client_id, "redirect_uri": redirect_uri, **params}


def find_ready(realm: Realm, *, session_key: str, client_id: str, redirect_uri: str) -> Ready | None:
    """All that a code depends on, in one query; None if anything is missing, for whatever reason. Raises StaleRealm.

    Whether it is usable is asked by the caller. A session that has to be touched, since it was last seen a while ago,
    is not ready: the session engine does that.
    """
    hashes, params = parameters_of(realm, session_key=session_key, client_id=client_id, redirect_uri=redirect_uri)
    row = sql.fetch_one(ready_statement(hashes, sql.vendor()), params)
    return read_ready(realm, row) if row else None


def read_ready(realm: Realm, row: Sequence[Any], *, is_code_kept: bool = False) -> Ready | None:
    """The query's answer as rows. Raises StaleRealm."""
    (session, user, application, consent), rest = sql.split(row, *_PARTS)
    require_fresh(realm, rest[1])
    if clock.now() - session.last_seen_at > TOUCH_AFTER:
        return None
    return Ready(
        application=application,
        user=user,
        session=session,
        consent=consent,
        noted_at=sql.as_time(rest[0]),
        mapped=read_mapped(rest[2]),
        is_code_kept=is_code_kept,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision that stands already. offline_until: when offline access that it includes ends."""

    offline_until: datetime | None = None


def standing_answer(
    application: Application,
    consent: Consent | None,
    *,
    mapped: Iterable[Mapped],
    redirect_uri: str,
    scopes: list[str],
    prompt: rules.Prompt,
    now: datetime,
) -> Answer | None:
    """What makes the consent page unnecessary: the realm's own application, or an earlier consent; else None.

    No earlier one does whose scopes release more by now than the person was told.

    Never for a native application that answers at a loopback address or a scheme of its own: another program on the
    device may claim that (RFC 8252, 8.6), so the person is asked each time.
    """
    if prompt.consent or not (application.is_confidential or redirect_uri.startswith("https://")):
        return None
    if application.skip_consent and application.first_party:
        return Answer()
    if consent is None or not covers(
        consent.scopes,
        offline=consent.offline,
        offline_until=consent.offline_until,
        wanted=scopes,
        now=now,
        attributes=consent.attributes or (),
        released=[each.attribute for each in mapped if each.scope in scopes],
    ):
        return None
    return Answer(consent.offline_until)
