"""The language in which a viewer's pages and rows speak."""

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from identity.realms.models import Realm


def language_for(realm: Realm | None, *, chosen: str = "", own: str | None = None, accepted: str = "") -> str:
    """The choice in this browser, else the person's own, else the browser's, else the realm's: the first we speak."""
    for code in _wishes(realm, chosen, own, accepted):
        try:
            return get_supported_language_variant(code)
        except (LookupError, ValueError):  # a language that we do not speak; a code of unreasonable length
            continue
    return settings.LANGUAGE_CODE


def _wishes(realm: Realm | None, chosen: str, own: str | None, accepted: str) -> Iterator[str]:
    yield chosen
    yield own or ""
    yield from (code for code, _ in parse_accept_lang_header(accepted))
    if realm is not None:
        yield str(realm.setting("language"))
