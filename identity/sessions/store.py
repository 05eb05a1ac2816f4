"""Django's session engine over `identity.Session`: realm-bound, hashed key, states instead of deletions."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import transaction

from identity.kernel import clock, sql
from identity.kernel.context import RealmLike, current_realm, realm_scope
from identity.kernel.crypto import keyed_hash, keyed_hashes, new_secret
from identity.kernel.ids import uuid7
from identity.kernel.origin import NOWHERE, Origin
from identity.realms.models import Realm
from identity.sessions.models import Session, SessionStatus

TOUCH_AFTER = timedelta(minutes=1)
_HASH = "session"


def key_hashes(realm: RealmLike, key: str) -> list[bytes]:
    """What a session key of this realm is stored as: one hash for each live pepper."""
    return keyed_hashes(_HASH, realm.pk, key)


class SessionStore(SessionBase):
    """A session of one realm. Another realm's key is no key here; an ended row never comes back (SE-05).

    A plain GET reads one row and writes nothing; last_seen_at moves at most once a minute.
    """

    def __init__(self, session_key: str | None = None, realm: RealmLike | None = None) -> None:
        super().__init__(session_key)
        self.realm = cast("Realm | None", realm or current_realm())
        self.row: Session | None = None
        self.origin: Origin = NOWHERE
        self.arrival: dict[str, Any] = {}
        """How and from where somebody is coming in: columns of the row, written when it is saved next."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and 40 <= len(cast(str, key)) <= 64

    def _hashes(self, key: str) -> list[bytes]:
        return key_hashes(cast(Realm, self.realm), key)

    def _hash(self, key: str) -> bytes:
        return keyed_hash(_HASH, cast(Realm, self.realm).pk, key)

    def _live(self, now: datetime) -> dict[str, Any]:
        idle = timedelta(seconds=cast(Realm, self.realm).setting("session_idle_lifetime"))
        return {"status": SessionStatus.ACTIVE, "expires_at__gt": now, "last_seen_at__gt": now - idle}

    def load(self) -> dict[str, Any]:
        """The data of a live session; anything else is a new, empty one. A realm that is not active has none."""
        if self.realm is None or not self.realm.is_active or not self.session_key:
            self._session_key = None
            return {}
        now = clock.now()
        with realm_scope(self.realm):
            row = Session.objects.filter(key_hash__in=self._hashes(self.session_key), **self._live(now)).first()
            if row is not None and now - row.last_seen_at > TOUCH_AFTER:
                with transaction.atomic():
                    # Only from the value that was read: of many parallel requests one writes.
                    Session.objects.filter(pk=row.pk, last_seen_at=row.last_seen_at).update(last_seen_at=now)
        self.row = row
        if row is None:
            self._session_key = None
            return {}
        return dict(row.data)

    @property
    def sid(self) -> UUID | None:
        """The OIDC session id (OpenID Connect Front-Channel Logout 1.0, 3), once somebody is signed in."""
        self._get_session()  # type: ignore[attr-defined]
        return self.row.sid if self.row else None

    def exists(self, session_key: str) -> bool:
        """Whether a key is taken in this realm, in whatever state."""
        if self.realm is None:
            return False
        with realm_scope(self.realm):
            return Session.objects.filter(key_hash__in=self._hashes(session_key)).exists()

    def create(self) -> None:
        """A new key and row."""
        self._session_key = new_secret()
        self.row = None
        self.modified = True
        self.save(must_create=True)

    def save(self, must_create: bool = False) -> None:
        """Raises UpdateError when the row was ended meanwhile: a slow request must not revive it (SE-04)."""
        if self.realm is None:
            return
        if self.session_key is None:
            self.create()
            return
        data = dict(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        user_id = data.get(SESSION_KEY) or None
        values: dict[str, Any] = {"data": data, "user_id": user_id}
        now = clock.now()
        if user_id and not (self.row and self.row.sid):
            values |= {"sid": uuid7(), "authenticated_at": now}
        if user_id and self.origin.ip:
            values |= {"ip": self.origin.ip, "user_agent": self.origin.user_agent}
        lifetime = timedelta(seconds=self.realm.setting("session_lifetime"))
        with realm_scope(self.realm), transaction.atomic(savepoint=False):
            if must_create:
                values |= {
                    "id": uuid7(),
                    "realm_id": self.realm.pk,
                    "key_hash": self._hash(self.session_key),
                    "created_at": now,
                    "last_seen_at": now,
                    "expires_at": now + lifetime,
                    **self.arrival,
                }
                self.arrival = {}
                given = {name: value for name, value in values.items() if value is not None}
                sql.take(sql.Step(rows=(sql.Insert(Session, given),)))
                self.row = sql.stored(Session, values)
                return
            values |= self.arrival
            self.arrival = {}
            changed = Session.objects.filter(
                key_hash__in=self._hashes(self.session_key), status=SessionStatus.ACTIVE
            ).update(**values)
            if not changed:
                raise UpdateError
        if self.row is not None:
            for name, value in values.items():
                setattr(self.row, name, value)

    def delete(self, session_key: str | None = None) -> None:
        """End the session. `sessions.commands.end_session` does so with an event; this is what Django itself calls."""
        key = session_key or self.session_key
        if not key or self.realm is None:
            return
        with realm_scope(self.realm), transaction.atomic():
            Session.objects.filter(key_hash__in=self._hashes(key), status=SessionStatus.ACTIVE).update(
                status=SessionStatus.ENDED, status_changed_at=clock.now(), data={}, end_reason="signed_out"
            )

    def cycle_key(self) -> None:
        """A new key on the same row, so that a key set before sign-in is worthless (SE-02, session fixation)."""
        data = self._get_session()  # type: ignore[attr-defined]
        old = self.session_key
        if old is None:
            # Nobody holds a key yet: the row is made with all that it will say, when it is saved.
            self._session_cache = data
            self.modified = True
            return
        new = new_secret()
        with realm_scope(cast(Realm, self.realm)), transaction.atomic():
            changed = Session.objects.filter(key_hash__in=self._hashes(old), status=SessionStatus.ACTIVE).update(
                key_hash=self._hash(new)
            )
        if not changed:
            raise UpdateError
        self._session_key = new
        self.modified = True

    def set_expiry(self, value: Any) -> None:
        """As Django's; saying again what holds already is no change that has to be saved."""
        if self.get("_session_expiry") != value:
            super().set_expiry(value)

    def flush(self) -> None:
        """End this session and go on with none."""
        self.clear()
        self.delete()
        self._session_key = None
        self.row = None

    @classmethod
    def clear_expired(cls) -> None:
        """Expiry is read, never propagated; rows are erased by the retention job."""
