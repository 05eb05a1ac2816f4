"""The language that a browser chose for a realm."""

import re

import pytest

from console.account.language import offered_languages
from identity.kernel.naming import cookie_name
from identity.sessions.testing import RealmClient


@pytest.fixture
def client(realm_a):
    return RealmClient(realm_a)


def test_the_choice_holds_for_this_realm_only(client, realm_a, realm_b):
    response = client.post("/account/language", {"language": "de", "next": "/realms/a/signin"})
    assert response.status_code == 302
    assert response["Location"] == "/realms/a/signin"
    assert client.get("/signin").wsgi_request.LANGUAGE_CODE == "de"
    assert client.get("/realms/b/signin", HTTP_ACCEPT_LANGUAGE="en").wsgi_request.LANGUAGE_CODE == "en"
    assert client.cookies[cookie_name("l", realm_a)]["httponly"]


def test_unknown_languages_are_refused(client):
    assert client.post("/account/language", {"language": "tlh"}).status_code == 400


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"])
def test_the_way_back_stays_on_this_host(client, back):
    response = client.post("/account/language", {"language": "de", "next": back})
    assert response["Location"] == "/realms/a/signin"


@pytest.fixture
def german(tmp_path, settings):
    """A German catalog."""
    catalog = tmp_path / "de/LC_MESSAGES/django.mo"
    catalog.parent.mkdir(parents=True)
    catalog.touch()
    settings.LOCALE_PATHS = [tmp_path]
    offered_languages.cache_clear()
    yield
    offered_languages.cache_clear()


def test_languages_are_offered_once_the_pages_speak_them(client, german):
    text = re.sub(r"\s+", " ", client.get("/signin").content.decode())
    assert '<button name="language" value="de" lang="de">Deutsch</button>' in text


def test_a_language_without_translation_is_not_offered(client, tmp_path, settings):
    settings.LOCALE_PATHS = [tmp_path]
    offered_languages.cache_clear()
    assert 'name="language"' not in client.get("/signin").content.decode()
    offered_languages.cache_clear()
