"""Session and CSRF cookies with a name per realm. Django's own middleware reads one global name."""

from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import (
    CSRF_TOKEN_LENGTH,
    CsrfViewMiddleware,
    _check_token_format,
    _unmask_cipher_token,
)
from django.utils.cache import patch_vary_headers

from identity.kernel.naming import cookie_name, is_https
from identity.kernel.origin import origin_of_request
from identity.realms.models import Realm
from identity.sessions.store import SessionStore


def cookie_arguments(realm: Realm) -> dict[str, Any]:
    """Flags of the realm's cookies: Secure by its configured origin, not by what a proxy claims (SE-08)."""
    return {"path": "/", "domain": None, "secure": is_https(realm), "samesite": "Lax"}


class RealmSessionMiddleware(SessionMiddleware):
    """The realm's session cookie. Outside a realm there is no session at all."""

    def process_request(self, request: HttpRequest) -> None:
        """Attach the session; nothing is read before somebody asks it."""
        realm = request.realm  # type: ignore[attr-defined]
        key = request.COOKIES.get(cookie_name("s", realm)) if realm else None
        store = SessionStore(key, realm=realm)
        if realm is not None:
            store.origin = origin_of_request(request)
        request.session = store

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save what changed, set or delete the cookie, and vary by it (SE-07)."""
        realm, session = request.realm, request.session  # type: ignore[attr-defined]
        if realm is None:
            return response
        name = cookie_name("s", realm)
        if name in request.COOKIES and session.is_empty():
            response.delete_cookie(name, path="/", samesite="Lax")
            # A browser refuses to delete a __Host- cookie without Secure.
            response.cookies[name]["secure"] = is_https(realm)
            patch_vary_headers(response, ("Cookie",))
            return response
        if session.accessed:
            patch_vary_headers(response, ("Cookie",))
        # A key that the browser doesn't have yet was saved by whoever made it, such as a sign-in.
        is_new = session.session_key is not None and session.session_key != request.COOKIES.get(name)
        if (session.modified or is_new) and not session.is_empty() and response.status_code < 500:
            if session.modified:
                try:
                    session.save()
                except UpdateError:
                    raise SessionInterrupted("The session was ended while this request ran.") from None
            age = None if session.get_expire_at_browser_close() else realm.setting("session_lifetime")
            response.set_cookie(name, session.session_key, max_age=age, httponly=True, **cookie_arguments(realm))
            patch_vary_headers(response, ("Cookie",))
        return response


class RealmCsrfMiddleware(CsrfViewMiddleware):
    """The realm's CSRF cookie; during an operator's visit another one.

    A form that was opened as the realm's own session is thus refused once a visit is open, instead of being sent with
    the operator's power (DECISIONS 20).
    """

    @staticmethod
    def _name(request: HttpRequest) -> str:
        realm = request.realm  # type: ignore[attr-defined]
        if realm is None:
            return "rk_c"
        return cookie_name("v" if getattr(request, "visit", None) else "c", realm)

    def _get_secret(self, request: HttpRequest) -> str | None:
        secret = request.COOKIES.get(self._name(request))
        if secret is None:
            return None
        _check_token_format(secret)
        return _unmask_cipher_token(secret) if len(secret) == CSRF_TOKEN_LENGTH else secret

    def _set_csrf_cookie(self, request: HttpRequest, response: HttpResponse) -> None:
        realm = request.realm  # type: ignore[attr-defined]
        flags = cookie_arguments(realm) if realm else {"path": "/", "samesite": "Lax"}
        response.set_cookie(
            self._name(request),
            request.META["CSRF_COOKIE"],
            max_age=settings.CSRF_COOKIE_AGE,
            httponly=True,
            **flags,
        )
        patch_vary_headers(response, ("Cookie",))
