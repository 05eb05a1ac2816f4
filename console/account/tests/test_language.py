"""The language that a browser chose for a realm."""

import pytest

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
