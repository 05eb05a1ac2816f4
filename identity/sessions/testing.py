"""A test client for one realm: Django's own knows only one global session cookie."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from identity.accounts.models import User
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name, prefix_of
from identity.realms.models import Realm
from identity.sessions.store import SessionStore


class RealmClient(Client):
    """`client.get("/console/")` asks inside the realm's mount; `client.raw("GET", "/healthz")` outside of it."""

    def __init__(self, realm: Realm, **defaults: Any) -> None:
        self.realm = realm
        super().__init__(**defaults)

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        """Prefixes a realm-relative path with the realm's mount."""
        prefix = prefix_of(self.realm)
        if not kwargs.pop("absolute", False) and not path.startswith(("/realms/", "/.well-known/", "http")):
            path = prefix + path
        return super().generic(method, path, *args, **kwargs)

    @property
    def session(self) -> SessionStore:  # type: ignore[override]
        """The realm's session of this client; made if there is none."""
        name = cookie_name("s", self.realm)
        cookie = self.cookies.get(name)
        store = SessionStore(cookie.value if cookie else None, realm=self.realm)
        if cookie is None:
            store.save()
            self.cookies[name] = store.session_key
        return store

    def _login(self, user: Any, backend: str | None = None) -> None:
        with realm_scope(self.realm):
            super()._login(user, backend)  # type: ignore[misc]

    def _set_login_cookies(self, request: HttpRequest) -> None:
        request.session.save()
        self.cookies[cookie_name("s", self.realm)] = request.session.session_key  # type: ignore[assignment]

    def sign_in(self, user: User) -> "RealmClient":
        """A session of `user`, as the sign-in makes it, without the form."""
        self.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return self
