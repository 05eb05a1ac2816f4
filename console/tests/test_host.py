"""Outside the realms: the start page tells nothing private, machines get what they ask, failures have a page."""

import json
import re

import pytest
from django.db import DatabaseError
from django.test import Client

from console import errors
from identity.audit import readiness
from identity.audit.checks import Finding

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    monkeypatch.setattr(readiness, "_migrated", False)
    monkeypatch.setattr(readiness, "_looked_at", 0.0)


def get(path: str, **more):
    return Client().get(path, **more)


def test_the_start_page_lists_no_realm(realm_a, realm_b):
    html = get("/").content.decode()
    assert "Realmkeep" in html
    assert "Realm A" not in html
    assert "/realms/a" not in html


def test_the_start_page_leads_to_a_realm_by_its_name(realm_a):
    assert get("/?realm=A").headers["Location"] == "/realms/a/console/"
    for forged in ("//evil.example", "a/../b", "javascript:x", "a b"):
        answer = get("/", data={"realm": forged})
        assert answer.status_code == 422
        assert "Location" not in answer.headers


def test_healthz_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = get("/healthz")
    assert answer.json() == {"status": "ok"}


def test_readyz_names_what_it_asked():
    answer = get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "audit": "ok"}}


@pytest.mark.parametrize(("is_breach", "status", "word"), [(True, 503, "failed"), (False, 200, "warning")])
def test_readyz_keeps_traffic_away_from_a_broken_trail_and_warns_of_less(monkeypatch, is_breach, status, word):
    monkeypatch.setattr(readiness, "findings", lambda: [Finding("triggers", "gone", is_breach)])
    answer = get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (status, word)
    assert answer.json()["checks"]["audit.triggers"] == "gone"


def test_readyz_says_when_the_database_is_away(monkeypatch):
    def away():
        raise DatabaseError("password=hunter2 host=10.0.0.1")

    monkeypatch.setattr(readiness, "_migrations", away)
    answer = get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failed", "checks": {"database": "away"}}


def test_readyz_says_how_many_migrations_are_missing(monkeypatch):
    monkeypatch.setattr("identity.audit.readiness.MigrationExecutor.migration_plan", lambda self, targets: [1, 2])
    assert get("/readyz").json()["checks"]["migrations"] == "2 not applied"


def test_an_unknown_realm_and_an_unknown_host_are_the_same_page():
    for answer in (get("/realms/nowhere/console/"), get("/", headers={"Host": "evil.example"})):
        assert answer.status_code == 404
        assert "There is no such realm" in answer.content.decode()


UNKNOWN = (("/realms/nowhere/console/", "testserver"), ("/", "evil.example"), ("/realms/nowhere/signin", "testserver"))


@pytest.mark.parametrize(("path", "host"), UNKNOWN)
def test_the_page_of_an_unknown_realm_has_the_headers_of_every_page(path, host):
    known, answer = get("/"), get(path, headers={"Host": host})
    assert answer.status_code == 404
    for header in (
        "Content-Security-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "Cache-Control",
    ):
        value = re.sub(r"'nonce-[^']+'", "", known.headers[header])
        assert re.sub(r"'nonce-[^']+'", "", answer.headers[header]) == value, header
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    html = answer.content.decode()
    assert "account/account.css" in html
    assert 'class="card stack stack-card"' in html


def test_an_unknown_host_gets_the_styles_of_that_page_and_nothing_else():
    styles = get("/static/account/account.css", headers={"Host": "evil.example"})
    assert styles.status_code == 200
    assert b"--realm-accent" in b"".join(styles)
    for path in ("/static/nothing.css", "/healthz", "/readyz"):
        assert get(path, headers={"Host": "evil.example"}).status_code == 404


def test_a_wrong_address_keeps_the_consoles_shell(realm_a, owner_a, client_for):
    html = client_for(realm_a).sign_in(owner_a).get("/console/nowhere").content.decode()
    assert "Not found" in html
    assert "rk-side" in html


def test_a_wrong_address_outside_the_console_has_a_plain_page(realm_a, client_for, caplog):
    with caplog.at_level("ERROR"):
        answer = client_for(realm_a).get("/nowhere")
    assert answer.status_code == 404
    assert "rk-side" not in answer.content.decode()
    assert "There is nothing here" in answer.content.decode()
    assert not caplog.records, "a wrong address is no fault of the server"


@pytest.mark.parametrize(("path", "accept"), [("/oauth/nowhere", "text/html"), ("/nowhere", "application/json")])
def test_programs_get_json(realm_a, client_for, path, accept):
    answer = client_for(realm_a).get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert json.loads(answer.content)["error"] == "not_found"


@pytest.mark.parametrize(
    ("handler", "status"), [(errors.bad_request, 400), (errors.forbidden, 403), (errors.not_found, 404)]
)
def test_each_failure_has_its_page(rf, handler, status):
    request = rf.get("/")
    request.realm = None
    assert handler(request, exception=Exception("secret reason")).status_code == status


def test_in_05_a_server_error_says_nothing_of_its_reason_even_when_its_page_fails(rf, monkeypatch, caplog):
    request = rf.get("/", headers={"Accept": "text/html"})
    request.realm = None
    request.request_id = "req-9"
    original = errors.render_to_string

    def broken(name, values=None, request=None):
        if name == "errors/500.html":
            raise DatabaseError("the table is gone")
        return original(name, values)

    monkeypatch.setattr(errors, "render_to_string", broken)
    answer = errors.server_error(request)
    assert answer.status_code == 500
    html = answer.content.decode()
    assert "req-9" in html
    assert "table" not in html
