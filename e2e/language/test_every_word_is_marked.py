"""Every page in a pseudo language: a word in plain letters is a text that nobody can translate, or it is data."""

import re
from collections.abc import Iterable
from functools import cache

import pytest
from django.conf import settings

from e2e.isolation.conftest import World, build, known_browsers
from e2e.isolation.crawl import addresses, answers_of, object_routes, static_routes
from e2e.language.pseudo import pseudo_language, texts_of
from identity.accounts.countries import countries
from identity.applications.models import ClientSecret
from identity.kernel.context import realm_scope
from identity.oauth.models import SigningKey
from identity.sessions.testing import RealmClient

__all__ = ["known_browsers"]

MARKER = "alphamark"
GIVEN = (
    rf"(?:(?:Realm|Olivia|Dana|Ines|Portal|API|Orders|Org|View|Carrier|Corp|Key|at|Badge) )?{MARKER}",  # its own
    r"\bOlivia\b",  # the first of them, where a page greets
    r"\bbuyer\b|\borders\.read\b|\borg\b|\binvitation\b",  # a role, a scope, an organization's slug, a mail's kind
    r"\bopenid\b|\bprofile\b|\bemail\b|\bphone\b|\boffline_access\b",  # scopes, as requests spell them
    r"[\w.]+@[\w.]+",  # addresses of mail
    r"https?://\S*|\btestserver\b",  # addresses of pages
    r"\b(?:usr|app|ses|rol|org|cns|alr|inv|evt|sec|msg|vew)_\w+",  # public ids
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    r"\bALR-\d+|\b[0-9a-f]{16}\b",  # alerts, requests
    r"#[0-9a-f]{6}\b",  # colors
    r"\b[a-z]+(?:[._:][a-z_]+)+\b",  # words of the wire: user.created, users:read, invalid_request
)
NAMES = {
    # Products, protocols and algorithms: the same in every language.
    "Realmkeep", "Django", "Express", "Next.js", "Go", "ES", "RS", "UTC", "Ctrl", "JWKS",
    "R",  # the mark of the site in Unfold's own head
}  # fmt: skip
SENTENCES = {"Missing client_id parameter."}  # of the protocol, for developers (RFC 6749 has them in ASCII)
WORD = re.compile(r"[A-Za-z]+(?:[.'’-][A-Za-z]+)*")


def data_of(world: World) -> re.Pattern[str]:
    """What is not for translating: somebody gave it, or programs read it."""
    with realm_scope(world.realm):
        kids = [re.escape(key.kid[:8]) + r"[\w-]*" for key in SigningKey.objects.all()]
        hints = [re.escape(secret.hint) for secret in ClientSecret.objects.all()]
    own_names = [name for _code, name in settings.LANGUAGES]
    # A library knows them in each language; the longest first, since some begin as others do.
    places = sorted((re.escape(country.name) for country in countries("en")), key=len, reverse=True)
    return re.compile("|".join([*kids, *hints, *own_names, *map(re.escape, SENTENCES), *GIVEN, *places]))


@cache
def words_of(text: str, data: re.Pattern[str]) -> tuple[str, ...]:
    """Words in plain letters. Pages repeat most of their texts, and the pattern is a long one."""
    return tuple(sorted(set(WORD.findall(re.sub(r"\{\w+\}", " ", data.sub(" ", text)))) - NAMES))


def unmarked(html: str, data: re.Pattern[str]) -> list[str]:
    """Texts with words in plain letters."""
    return [f"{text[:160]}  {list(words)}" for text in texts_of(html) if (words := words_of(text, data))]


def said_on(client: RealmClient, pages: Iterable[Iterable[str]], data: re.Pattern[str]) -> str:
    """Unmarked texts and where they stand. Each address of a page is tried until one opens; refusals are read too."""
    said: dict[str, str] = {}
    with pseudo_language():
        for paths in pages:
            for path in paths:
                answers = answers_of(client, path)
                for response in answers:
                    if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
                        said |= dict.fromkeys(unmarked(response.content.decode(), data), path)
                if answers[0].status_code == 200:
                    break
    return "\n".join(f"{text}  {path}" for text, path in sorted(said.items()))


@pytest.fixture
def world(db: None, known_browsers: None) -> World:
    return build("a", MARKER)


def test_pages_of_console_and_account_say_nothing_that_cannot_be_translated(world: World) -> None:
    pages = [[route.path({})] for route in static_routes()]
    pages += [addresses(route, world) for route in object_routes()]
    said = said_on(world.client(), pages, data_of(world))
    assert not said, said


def test_entrance_pages_say_nothing_that_cannot_be_translated(world: World) -> None:
    pages = [[route.path({})] for route in static_routes() if not route.pattern.startswith("console/")]
    said = said_on(RealmClient(world.realm, raise_request_exception=False), pages, data_of(world))
    assert not said, said


def test_lists_without_a_match_say_nothing_that_cannot_be_translated(world: World) -> None:
    pages = [
        [f"{route.path({})}?q=zzz&status=zzz"] for route in static_routes() if route.pattern.startswith("console/")
    ]
    data = re.compile(data_of(world).pattern + "|zzz")
    said = said_on(world.client(), pages, data)
    assert not said, said


def test_the_test_itself_sees_what_is_not_marked() -> None:
    page = '<p>Plain <b class="mono">code</b></p><button title="Close"></button><script>let it = "be"</script>'
    assert unmarked(page, re.compile("nothing")) == ["Plain  ['Plain']", "Close  ['Close']"]
