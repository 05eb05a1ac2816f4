"""Sessions of this application's visitors: kept in the server's memory, named by a random id in a cookie.

Tokens never reach the browser. A real application keeps the same three things in its database or cache.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from relying_party import PendingSignIn, SignIn

LIFETIME = 12 * 3600
MOST_SESSIONS = 10_000  # anybody can open one, so memory needs a bound: the oldest go first
MOST_PENDING = 8  # sign-ins started in several tabs of one browser


@dataclass
class Session:
    """One browser."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    pending: OrderedDict[str, PendingSignIn] = field(default_factory=OrderedDict)
    sign_in: SignIn | None = None
    notice: str = ""
    result: tuple[str, object] | None = None
    expires_at: float = field(default_factory=lambda: time.monotonic() + LIFETIME)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, pending: PendingSignIn) -> None:
        """Keep what a started sign-in needs; several tabs may each start one."""
        self.pending[pending.state] = pending
        while len(self.pending) > MOST_PENDING:
            self.pending.popitem(last=False)


class Sessions:
    """All browsers. Safe to share between threads."""

    def __init__(self, *, cookie_name: str, secure: bool) -> None:
        # The prefix keeps a neighboring subdomain from planting a session of its own (cookie tossing).
        self.cookie_name = f"__Host-{cookie_name}" if secure else cookie_name
        self._secure = secure
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def find(self, cookie_header: str) -> Session | None:
        """Return the live session that the Cookie header names."""
        try:
            morsel = SimpleCookie(cookie_header).get(self.cookie_name)
        except CookieError:
            return None
        with self._lock:
            session = self._sessions.get(morsel.value) if morsel else None
        if session is None or session.expires_at < time.monotonic():
            return None
        return session

    def open(self, replacing: Session | None = None) -> Session:
        """Open a session with a fresh id, in place of an older one.

        Called whenever a person signs in, so that an id planted in the browser before the sign-in is worth
        nothing after it (session fixation).
        """
        session = Session()
        with self._lock:
            if replacing is not None:
                self._sessions.pop(replacing.id, None)
            self._sessions[session.id] = session
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def cookie(self, session: Session) -> str:
        """Return the Set-Cookie value that names the session."""
        # Lax, not Strict: the browser returns from the sign-in server by a cross-site navigation.
        flags = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self._secure else "")
        return f"{self.cookie_name}={session.id}{flags}"
