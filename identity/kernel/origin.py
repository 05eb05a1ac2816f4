"""Where a request comes from: the client's address behind a configured number of proxies, and its user agent."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

MAX_USER_AGENT = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Address and user agent of a caller; both empty for work that no request started."""

    ip: str = ""
    user_agent: str = ""


NOWHERE = Origin()


def client_ip(remote: str, forwarded_for: str, trusted_proxies: int) -> str:
    """The client's address: `remote`, or the hop that the outermost of our own proxies saw.

    Stops a client from choosing its own address by header (RL-01): only the last `trusted_proxies` entries of
    X-Forwarded-For were written by proxies of ours; whatever does not parse falls back to the peer's address.
    """
    candidate = remote
    if trusted_proxies:
        hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
        if len(hops) >= trusted_proxies:
            candidate = hops[-trusted_proxies]
    return _normalized(candidate) or _normalized(remote)


@lru_cache(maxsize=4096)
def _normalized(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if getattr(address, "scope_id", None):
        return ""  # free text of the sender's: no database column takes it, and each spelling would be another key
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=4096)
def network_of(ip: str) -> str:
    """The rate-limit identity of an address: IPv4 whole, IPv6 by /64, since one subscriber owns the latter (RL-02)."""
    if not ip:
        return ""
    address = ipaddress.ip_address(ip)
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)


def clean_user_agent(text: str) -> str:
    """Printable, at most 300 characters: a header must not forge log lines or turn text around (IN-07)."""
    if not text.isprintable():
        text = "".join(c for c in text[: MAX_USER_AGENT * 2] if c.isprintable())
    return text[:MAX_USER_AGENT]


def origin_of_request(request: HttpRequest) -> Origin:
    """The Origin of an HTTP request."""
    return origin_of_meta(request.META)


def origin_of_meta(meta: Mapping[str, Any]) -> Origin:
    """The Origin of a WSGI environment, which is what Django calls a request's META."""
    return Origin(
        ip=client_ip(
            str(meta.get("REMOTE_ADDR", "")),
            str(meta.get("HTTP_X_FORWARDED_FOR", "")),
            settings.REALMKEEP_TRUSTED_PROXIES,
        ),
        user_agent=clean_user_agent(str(meta.get("HTTP_USER_AGENT", ""))),
    )
