"""Origins and cookie names of a realm. No model is imported: allauth's setting getter asks while apps load."""

from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings

from identity.kernel.context import RealmLike

CookieKind = Literal["s", "c", "v", "t", "m", "l"]
"""s session, c CSRF, v CSRF during an operator's visit, t trusted device, m messages, l language and theme."""


def main_origin() -> str:
    """Scheme and host that path-mounted realms live on, without a trailing slash."""
    return str(settings.REALMKEEP_ORIGIN)


def origin_of(realm: RealmLike) -> str:
    """The configured origin of a realm. Never read from a request: a forged Host header must not end up in a mail."""
    if realm.host:
        return f"{urlsplit(main_origin()).scheme}://{realm.host}"
    return main_origin()


def prefix_of(realm: RealmLike) -> str:
    """The path under which the realm is mounted on its origin: empty for a realm with a host of its own."""
    return "" if realm.host else f"/realms/{realm.slug}"


def issuer_of(realm: RealmLike) -> str:
    """The realm's one issuer identifier (OpenID Connect Core 1.0, section 2; DECISIONS 14)."""
    return origin_of(realm) + prefix_of(realm)


def is_https(realm: RealmLike) -> bool:
    """Whether the realm's configured origin is HTTPS; decides about Secure and the __Host- prefix."""
    return urlsplit(origin_of(realm)).scheme == "https"


def cookie_name(kind: CookieKind, realm: RealmLike) -> str:
    """The realm's own cookie name, so that two realms on one host never overwrite each other's sign-in (SE-01)."""
    return f"{'__Host-' if is_https(realm) else ''}rk_{kind}_{realm.slug}"
