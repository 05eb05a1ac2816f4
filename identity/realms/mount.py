"""Realms are mounts: finds the realm of a request or socket by host and path; HTTP and websockets ask one function."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils.module_loading import import_string

from identity.kernel import sql
from identity.kernel.context import RealmLike, no_realm, realm_scope
from identity.kernel.naming import origin_of, prefix_of
from identity.realms.models import Realm

_MOUNT = re.compile(r"/realms/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?=/|$)")
# RFC 8414, section 3.1: the well-known part is inserted between host and path; some clients do so for OIDC as well.
_INSERTED = re.compile(
    r"(/\.well-known/(?:oauth-authorization-server|openid-configuration))/realms/([a-z0-9-]{1,63})/?"
)

Scope = dict[str, Any]
App = Callable[[Scope, Callable[..., Any], Callable[..., Any]], Awaitable[None]]


class NoSuchRealm(Exception):
    """No realm is mounted there."""


@dataclass(frozen=True, slots=True)
class Mount:
    """The realm (None outside the mounts), the prefix that goes into SCRIPT_NAME, and the path left for the URLconf."""

    realm: Realm | None
    prefix: str
    path: str


def bare_host(host: str) -> str:
    """A Host header without its port and trailing dot, lower case; IPv6 literals keep their brackets."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def find_mount(host: str, path: str) -> Mount:
    """The mount of a request. Raises NoSuchRealm for an unknown host or slug.

    Of a realm with a host of its own, the main host serves only the console (DECISIONS 14).
    """
    name = bare_host(host)
    if name not in settings.REALMKEEP_MAIN_HOSTS:
        realm = _realm_at("r.host = %(name)s", name)
        if realm is None:
            raise NoSuchRealm
        return Mount(realm, "", path)
    if found := _INSERTED.fullmatch(path):
        slug, prefix, rest = found[2], f"/realms/{found[2]}", found[1]
    elif found := _MOUNT.match(path):
        slug, prefix, rest = found[1], found[0], path[found.end() :]
    else:
        return Mount(None, "", path)
    realm = _realm_at("r.slug = %(name)s AND r.purged_at IS NULL", slug)
    if realm is None or (realm.host and not rest.startswith("/console/")):
        raise NoSuchRealm
    return Mount(realm, prefix, rest)


_REALM = sql.Columns(Realm, "r", [each.attname for each in Realm._meta.concrete_fields])


@cache
def _realm_statement(condition: str) -> str:
    return f"SELECT {_REALM.sql} FROM identity_realm r WHERE {condition}"  # noqa: S608 - conditions are ours


def _realm_at(condition: str, name: str) -> Realm | None:
    """The realm of a host or slug. Raw: every request begins here, and building it costs more than running it."""
    row = sql.fetch_one(_realm_statement(condition), {"name": name})
    return _REALM.load(row) if row is not None else None


def realm_path(realm: RealmLike, name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a realm-relative URL name, also outside requests."""
    before = get_script_prefix()
    set_script_prefix(prefix_of(realm) + "/")
    try:
        return reverse(name, args=args or None, kwargs=kwargs or None, urlconf=settings.ROOT_URLCONF)
    finally:
        set_script_prefix(before)


def realm_url(realm: RealmLike, name: str, *args: Any, **kwargs: Any) -> str:
    """The absolute URL on the realm's configured origin: the only source of links in mails, tasks and live rows.

    Never built from a request, so that a forged Host header can't reach a reset mail (LG-05).
    """
    return origin_of(realm) + realm_path(realm, name, *args, **kwargs)


def with_page_headers(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """`answer` inside the middlewares that give every page its headers and language."""
    for path in reversed(settings.PAGE_MIDDLEWARE):
        answer = import_string(path)(answer)
    return answer


def no_such_realm(request: HttpRequest) -> HttpResponse:
    """404. It says the same for a name that never was and for one that is gone (TI-22)."""
    return render(request, "errors/no_realm.html", status=404)


class RealmMiddleware:
    """Outermost: resolves the realm and moves its prefix into SCRIPT_NAME, so everything inside is realm-relative."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.unknown = with_page_headers(no_such_realm)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serves the request inside its realm. A SCRIPT_NAME or root path from outside is overwritten."""
        try:
            mount = find_mount(request.get_host(), request.path)
        except NoSuchRealm:
            if request.path.startswith(settings.STATIC_URL):  # what the page below is made of
                mount = Mount(None, "", request.path)
            else:
                return self._outside(request, lambda: self.unknown(request))
        if mount.realm is not None and not mount.path:
            return HttpResponsePermanentRedirect(f"{mount.prefix}/console/")
        request.mount, request.realm = mount, mount.realm  # type: ignore[attr-defined]
        request.path_info, request.path = mount.path, mount.prefix + mount.path
        request.META["SCRIPT_NAME"], request.META["PATH_INFO"] = mount.prefix, mount.path
        if hasattr(request, "script_name"):
            request.script_name = mount.prefix
        if mount.realm is None:
            request.urlconf = settings.HOST_URLCONF  # type: ignore[attr-defined]
            return self._outside(request, lambda: self.get_response(request))
        set_script_prefix(mount.prefix + "/")
        try:
            with realm_scope(mount.realm):
                return self.get_response(request)
        finally:
            set_script_prefix("/")

    @staticmethod
    def _outside(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
        if not hasattr(request, "realm"):
            request.realm = None  # type: ignore[attr-defined]
            request.mount = Mount(None, "", request.path)  # type: ignore[attr-defined]
        set_script_prefix("/")
        with no_realm():
            return answer()


class DropRootPath:
    """Around the whole ASGI app: daphne takes a root path from a header that any client can send."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Passes the scope on with an empty root path."""
        await self.app({**scope, "root_path": ""}, receive, send)


async def refuse_socket(receive: Callable[..., Any], send: Callable[..., Any], code: int) -> None:
    """Close a websocket before it opens. The client doesn't try again for codes of 4400 and above."""
    await receive()
    await send({"type": "websocket.close", "code": code})


def _find_and_close(host: str, path: str) -> Mount:
    """`find_mount` in a borrowed thread, which must not be left with a connection that nobody closes."""
    try:
        return find_mount(host, path)
    finally:
        connection.close()


class RealmScope:
    """Websockets: the same mount; Channels sets no script prefix, so root_path carries it to the URLRouter."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Opens the socket inside its realm, or refuses it."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin1")
        try:
            mount = await sync_to_async(_find_and_close, thread_sensitive=False)(host, scope["path"])
        except NoSuchRealm:
            mount = None
        if mount is None or mount.realm is None:
            await refuse_socket(receive, send, 4404)
            return
        with realm_scope(mount.realm):
            await self.app({**scope, "root_path": mount.prefix, "mount": mount, "realm": mount.realm}, receive, send)


class SameOriginOnly:
    """Websockets are opened by our own pages alone: Origin and Host must agree (SE-11, cross-site hijacking)."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Refuses a socket with another or no Origin."""
        headers = dict(scope["headers"])
        origin = urlsplit(headers.get(b"origin", b"").decode("latin1")).netloc.lower()
        if not origin or origin != headers.get(b"host", b"").decode("latin1").lower():
            await refuse_socket(receive, send, 4403)
            return
        await self.app(scope, receive, send)
