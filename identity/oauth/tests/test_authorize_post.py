"""Authorization requests by POST (OpenID Connect Core 1.0, 3.1.2.1): the same as by GET, and never a decision."""

import io
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from identity.consent.models import Consent
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.oauth.fastpath import ProtocolFirst
from identity.oauth.models import Grant
from identity.oauth.tests.flows import FORM, Flow, answer_of
from identity.realms import freshness
from identity.sessions.testing import RealmClient


def posted(browser: RealmClient, parameters: dict[str, str], **extra):
    return browser.post("/oauth/authorize", urlencode(parameters), content_type=FORM, **extra)


def test_a_posted_request_is_answered_as_one_by_get(flow: Flow):
    parameters = flow.parameters(state="two words & more")
    response = posted(flow.browser, parameters)
    assert response.status_code == 303
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    target = urlsplit(response["Location"])
    assert (target.netloc, target.path) == ("", "/realms/a/oauth/authorize")
    assert dict(parse_qsl(target.query)) == parameters
    answer = answer_of(flow.browser.get(response["Location"], absolute=True))
    assert answer["state"] == "two words & more"
    assert flow.redeem(answer["code"]).status_code == 200


def test_se_11_another_sites_post_reaches_the_request_and_nothing_else(realm_a, app_a, user_a):
    flow = Flow(realm_a, *app_a).sign_in(user_a)
    strict = RealmClient(realm_a, enforce_csrf_checks=True)
    strict.cookies = flow.browser.cookies
    asked = {**flow.parameters(), "decision": "allow", "csrfmiddlewaretoken": "x" * 32}
    response = posted(strict, asked, HTTP_ORIGIN="https://evil.example")
    assert response.status_code == 303
    with realm_scope(realm_a):
        assert not Consent.objects.exists()
        assert not Grant.objects.exists()
    page = strict.get(response["Location"], absolute=True)
    assert page.status_code == 200
    assert page.templates[0].name == "oauth/consent.html"
    decided = strict.post(response["Location"], {"decision": "allow"}, absolute=True)
    assert decided.status_code == 403
    with realm_scope(realm_a):
        assert not Consent.objects.exists()
        assert not Grant.objects.exists()


def test_one_who_is_not_signed_in_is_sent_to_sign_in_and_keeps_the_request(realm_a, app_a):
    flow = Flow(realm_a, *app_a)
    response = posted(flow.browser, flow.parameters())
    response = flow.browser.get(response["Location"], absolute=True)
    assert response.status_code == 303
    assert "/signin?next=" in response["Location"]
    assert "code_challenge" in response["Location"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("client_id=portal&client_id=other", FORM, 400),
        ("client_id=%00", FORM, 400),
        ("client_id=%FF", FORM, 400),
        ("state=" + "x" * 20_000, FORM, 413),
        ("state=" + "x" * 70_000, FORM, 413),
        ('{"client_id": "portal"}', "application/json", 400),
    ],
)
def test_oa_04_what_is_malformed_is_refused_here(flow: Flow, body: str, kind: str, status: int):
    response = flow.browser.post("/oauth/authorize", body, content_type=kind)
    assert response.status_code == status
    assert response.json()["error"] == "invalid_request"


def test_oa_04_a_request_in_both_places_is_refused(flow: Flow):
    parameters = flow.parameters()
    response = flow.browser.post(
        "/oauth/authorize?" + urlencode(parameters), urlencode({"client_id": "other"}), content_type=FORM
    )
    assert response.status_code == 400


def test_oa_01_a_wrong_redirect_uri_is_shown_here_and_nobody_is_sent_there(flow: Flow):
    response = posted(flow.browser, flow.parameters(redirect_uri="https://evil.example/"))
    assert urlsplit(response["Location"]).netloc == ""
    page = flow.browser.get(response["Location"], absolute=True)
    assert page.status_code == 400


def test_ti_01_a_request_stays_in_its_realm(flow_b: Flow):
    response = posted(flow_b.browser, flow_b.parameters())
    assert response["Location"].startswith("/realms/b/oauth/authorize?")


def test_under_wsgi_a_decision_reaches_django_with_its_body(flow: Flow):
    freshness._remembered.clear()
    seen: list[bytes] = []

    def django(environ, start_response):
        seen.append(environ["wsgi.input"].read())
        start_response("299 Django", [])
        return [b""]

    def ask(query: str, body: bytes) -> tuple[str, dict[str, str]]:
        got: list = []
        session = cookie_name("s", flow.realm)
        ProtocolFirst(django)(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": "/realms/a/oauth/authorize",
                "SCRIPT_NAME": "",
                "QUERY_STRING": query,
                "HTTP_HOST": "testserver",
                "HTTP_COOKIE": f"{session}={flow.browser.cookies[session].value}",
                "CONTENT_TYPE": FORM,
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": io.BytesIO(body),
            },
            lambda status, headers: got.extend((status, dict(headers))),
        )
        return got[0], got[1]

    request = urlencode(flow.parameters())
    assert ask(request, b"decision=allow")[0] == "299 Django"
    assert seen == [b"decision=allow"]
    status, headers = ask("", request.encode())
    assert status.startswith("303")
    assert headers["Location"] == f"/realms/a/oauth/authorize?{request}"
    assert seen == [b"decision=allow"]


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch) -> None:
    """As Django's own test client does: the connection holds the test's transaction."""
    monkeypatch.setattr("identity.kernel.sql.renew_connection", lambda: None)
    monkeypatch.setattr("identity.kernel.sql.release_connection", lambda: None)
