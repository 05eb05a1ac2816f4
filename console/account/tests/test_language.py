"""The language of pages: chosen in this browser, the person's own, the browser's, the realm's; in this order."""

import re

import pytest
from django.conf import settings

from config.languages import spoken_languages
from conftest import make_user
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.realms.commands import change_realm_settings
from identity.sessions.testing import RealmClient


@pytest.fixture
def client(realm_a):
    return RealmClient(realm_a)


def page(client, path="/signin", **headers):
    response = client.get(path, **headers)
    assert response["Content-Language"] == response.wsgi_request.LANGUAGE_CODE
    return response.wsgi_request.LANGUAGE_CODE, re.sub(r"\s+", " ", response.content.decode())


def test_the_choice_holds_for_this_realm_only(client, realm_a, realm_b):
    response = client.post("/account/language", {"language": "de", "next": "/realms/a/signin"})
    assert response.status_code == 302
    assert response["Location"] == "/realms/a/signin"
    language, text = page(client)
    assert language == "de"
    assert '<html lang="de"' in text
    assert "Passwort" in text
    assert client.get("/realms/b/signin", HTTP_ACCEPT_LANGUAGE="en").wsgi_request.LANGUAGE_CODE == "en"
    assert client.cookies[cookie_name("l", realm_a)]["httponly"]


def test_unknown_languages_are_refused(client):
    assert client.post("/account/language", {"language": "tlh"}).status_code == 400


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"])
def test_the_way_back_stays_on_this_host(client, back):
    response = client.post("/account/language", {"language": "de", "next": back})
    assert response["Location"] == "/realms/a/signin"


def test_the_entrance_offers_each_language_in_its_own_name(client):
    _, text = page(client)
    assert '<button name="language" value="de" lang="de">Deutsch</button>' in text
    assert '<button name="language" value="en" lang="en" aria-current="true">English</button>' in text


def test_a_language_is_its_catalog_and_nothing_else(tmp_path):
    assert spoken_languages(tmp_path) == [("en", "English")]
    for locale in ("fr", "pt_BR"):
        (tmp_path / locale / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / locale / "LC_MESSAGES/django.mo").touch()
    (tmp_path / "nl/LC_MESSAGES").mkdir(parents=True)  # not compiled yet
    assert [code for code, _name in spoken_languages(tmp_path)] == ["en", "fr", "pt-br"]
    assert ("de", "Deutsch") in settings.LANGUAGES


@pytest.mark.parametrize(
    ("accepted", "of_realm", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "en", "de"),
        ("tlh,en;q=0.5", "de", "en"),
        ("tlh", "de", "de"),  # the browser asks for what we don't speak: the realm's
        ("", "de", "de"),
        ("*", "en", "en"),
    ],
)
def test_the_browsers_language_comes_before_the_realms(client, as_owner_a, realm_a, accepted, of_realm, language):
    with realm_scope(realm_a):
        change_realm_settings(as_owner_a, changes={"language": of_realm})
    headers = {"HTTP_ACCEPT_LANGUAGE": accepted} if accepted else {}
    assert page(client, **headers)[0] == language


def test_a_persons_own_language_comes_before_the_browsers(realm_a):
    german = RealmClient(realm_a).sign_in(make_user(realm_a, "jo@example.com", name="Jo", language="de"))
    language, text = page(german, "/account/", HTTP_ACCEPT_LANGUAGE="en")
    assert language == "de"
    assert "Guten Tag, Jo" in text
    german.post("/account/language", {"language": "en"})
    assert page(german, "/account/", HTTP_ACCEPT_LANGUAGE="de")[0] == "en"


def test_an_admins_own_language_speaks_in_the_console(realm_a):
    user = make_user(realm_a, "jo@example.com", name="Jo", role="Owner", language="de", time_zone="Asia/Tokyo")
    language, text = page(RealmClient(realm_a).sign_in(user), "/console/users", HTTP_ACCEPT_LANGUAGE="en")
    assert language == "de"
    assert "Person einladen" in text


def test_a_language_chosen_in_the_details_speaks_at_once(realm_a, user_a):
    dana = RealmClient(realm_a).sign_in(user_a)
    dana.post("/account/language", {"language": "en"})
    fields = {"name": "Dana", "language": "de", "time_zone": ""}
    response = dana.post("/account/details", fields, follow=True, HTTP_ACCEPT_LANGUAGE="en")
    assert response.wsgi_request.LANGUAGE_CODE == "de"
    assert "Ihre Angaben sind gespeichert." in response.content.decode()
    dana.post("/account/details", {**fields, "language": ""}, HTTP_ACCEPT_LANGUAGE="en")
    assert page(dana, "/account/", HTTP_ACCEPT_LANGUAGE="en")[0] == "en"
    assert not dana.cookies[cookie_name("l", realm_a)].value


def test_account_pages_tell_the_time_in_the_persons_zone(realm_a, user_a):
    dana = RealmClient(realm_a).sign_in(user_a)
    shown = r'<time datetime="[^"]*([+-]\d\d:\d\d)"'
    assert re.findall(shown, page(dana, "/account/activity")[1])[0] == "+00:00"
    dana.post("/account/details", {"name": "Dana", "language": "", "time_zone": "Asia/Tokyo"})
    assert re.findall(shown, page(dana, "/account/activity")[1])[0] == "+09:00"
