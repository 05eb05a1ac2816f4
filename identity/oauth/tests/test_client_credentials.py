"""Client authentication (RFC 6749, 2.3) and the client credentials grant (4.4)."""

from datetime import timedelta

import pytest

from conftest import basic, make_application
from identity.applications.commands import add_secret, disable_application, revoke_secret
from identity.applications.models import ClientSecret
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.naming import issuer_of
from identity.oauth.tests.flows import FORM, Flow, said


def test_a_service_gets_a_token_for_itself(service: Flow):
    response = service.token(grant_type="client_credentials")
    assert response.status_code == 200
    answer = response.json()
    assert answer["scope"] == "profile"
    assert "refresh_token" not in answer
    assert "id_token" not in answer
    claims = service.decoded(answer["access_token"]).claims
    assert claims["sub"] == claims["client_id"] == "service"
    assert claims["aud"] == issuer_of(service.realm)
    assert {"auth_time", "sid", "amr", "fid"}.isdisjoint(claims)
    (event,) = said(service.realm, "token.issued")
    assert event.actor_id == event.target_id == service.application.pk
    assert event.on_behalf_of is None


def test_scopes_are_those_of_the_client(service: Flow):
    assert service.token(grant_type="client_credentials", scope="profile").json()["scope"] == "profile"
    assert service.token(grant_type="client_credentials", scope="email").json()["error"] == "invalid_scope"
    assert service.token(grant_type="client_credentials", scope="nothing").json()["error"] == "invalid_scope"
    assert service.token(grant_type="client_credentials", scope='a"b').json()["error"] == "invalid_scope"


def test_a_service_is_no_person(realm_a):
    application, secret = make_application(
        realm_a, client_id="both", type="web", grant_types=["client_credentials"], scopes=["openid", "profile"]
    )
    flow = Flow(realm_a, application, secret)
    assert flow.token(grant_type="client_credentials").json()["scope"] == "profile"
    assert flow.token(grant_type="client_credentials", scope="openid").json()["error"] == "invalid_scope"


def test_oa_11_scopes_and_grants_are_those_of_the_authenticated_client(service: Flow, realm_a):
    make_application(realm_a, client_id="other", type="service", redirect_uris=[], scopes=["email"])
    response = service.token(grant_type="client_credentials", client_id="other", scope="email")
    assert response.json()["error"] == "invalid_request"


@pytest.mark.parametrize("secret", ["", "wrong", "{}x", "{}\x00"])
def test_a_wrong_secret_is_refused_with_a_challenge(service: Flow, secret: str):
    response = service.token(auth=("service", secret.format(service.secret)), grant_type="client_credentials")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response["WWW-Authenticate"].startswith("Basic")
    assert response["Cache-Control"] == "no-store"


def test_an_unknown_client_and_a_wrong_secret_look_the_same(service: Flow):
    unknown = service.token(auth=("unknown", "x"), grant_type="client_credentials")
    wrong = service.token(auth=("service", "x"), grant_type="client_credentials")
    assert (unknown.status_code, unknown.content) == (wrong.status_code, wrong.content)


@pytest.mark.parametrize("header", ["Basic", "Basic ", "Basic !!!", "Basic c2VydmljZQ==", "Bearer x", "Basic \xff"])
def test_a_malformed_header_is_no_authentication(service: Flow, header: str):
    response = service.browser.post(
        "/oauth/token", "grant_type=client_credentials", content_type=FORM, HTTP_AUTHORIZATION=header
    )
    assert response.json()["error"] == "invalid_client"


def test_credentials_are_form_decoded(realm_a):
    application, _ = make_application(
        realm_a, client_id="svc", type="service", redirect_uris=[], scopes=["profile"], secret="a+b %c" * 8
    )
    flow = Flow(realm_a, application)
    encoded = ("a%2Bb+%25c") * 8
    assert flow.token(auth=("svc", encoded), grant_type="client_credentials").status_code == 200


def test_the_registered_method_is_the_method(realm_a):
    application, secret = make_application(
        realm_a,
        client_id="poster",
        type="service",
        redirect_uris=[],
        scopes=["profile"],
        token_endpoint_auth_method="client_secret_post",
    )
    flow = Flow(realm_a, application)
    assert flow.token(grant_type="client_credentials", client_secret=secret).status_code == 200
    refused = flow.token(auth=("poster", secret), grant_type="client_credentials")
    assert refused.json()["error"] == "invalid_client"
    assert "client_secret_post" in refused.json()["error_description"]


def test_two_ways_at_once_are_refused(service: Flow):
    response = service.token(grant_type="client_credentials", client_secret=service.secret)
    assert response.json()["error"] == "invalid_request"


@pytest.mark.parametrize("secret", [None, "", "x"])
def test_a_public_client_never_authenticates(public: Flow, secret):
    extra = {} if secret is None else {"client_secret": secret}
    for data in ({"grant_type": "client_credentials"}, {"grant_type": "refresh_token", "refresh_token": "x"}):
        response = public.token(**data, **extra)
        assert response.json()["error"] in ("unauthorized_client", "invalid_client", "invalid_grant")
    introspection = public.post("/oauth/introspect", {"token": "x", **extra})
    assert (introspection.status_code, introspection.json()["error"]) == (401, "invalid_client")


def test_a_secret_row_of_a_public_client_opens_nothing(public: Flow, service: Flow):
    """A client that became public keeps old secret rows: they must not make it confidential again."""
    with realm_scope(public.realm):
        ClientSecret.objects.update(application=public.application)
    response = public.post("/oauth/introspect", {"token": "x"}, auth=("spa", service.secret))
    assert response.status_code == 401


def test_two_secrets_overlap_and_each_ends_at_once(service: Flow):
    actor = system_actor(service.realm.pk)
    with realm_scope(service.realm):
        _, second = add_secret(actor, application_id=service.application.pk)
        first = ClientSecret.objects.order_by("id").first()
    for secret in (service.secret, second):
        assert service.token(auth=("service", secret), grant_type="client_credentials").status_code == 200
    with realm_scope(service.realm):
        revoke_secret(actor, application_id=service.application.pk, secret_id=first.pk)
    assert service.token(grant_type="client_credentials").status_code == 401
    assert service.token(auth=("service", second), grant_type="client_credentials").status_code == 200


def test_a_secret_expires_by_the_time_alone(service: Flow):
    with realm_scope(service.realm):
        ClientSecret.objects.update(expires_at=clock.now() + timedelta(hours=1))
    assert service.token(grant_type="client_credentials").status_code == 200
    with clock.clock_at(clock.now() + timedelta(hours=2)):
        assert service.token(grant_type="client_credentials").status_code == 401


def test_use_is_noted_on_client_and_secret(service: Flow):
    service.token(grant_type="client_credentials")
    with realm_scope(service.realm):
        service.application.refresh_from_db()
        assert service.application.last_used_at
        assert ClientSecret.objects.get().last_used_at


def test_oa_17_a_disabled_client_is_refused(service: Flow):
    with realm_scope(service.realm):
        disable_application(system_actor(service.realm.pk), application_id=service.application.pk)
    response = service.token(grant_type="client_credentials")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("secret", [None, "x"])
def test_secrets_are_kept_as_keyed_hashes(service: Flow, secret):
    with realm_scope(service.realm):
        assert service.secret not in str(list(ClientSecret.objects.values()))
    assert basic("service", service.secret)["HTTP_AUTHORIZATION"]


def test_oa_34_browsers_of_registered_origins_may_call_and_never_with_credentials(realm_a, user_a):
    application, _ = make_application(
        realm_a, client_id="spa", type="spa", allowed_origins=["https://app.example"], name="Board"
    )
    make_application(realm_a, client_id="spa2", type="spa", allowed_origins=["https://two.example"], name="Two")
    flow = Flow(realm_a, application).sign_in(user_a).consented(user_a)
    allowed = flow.browser.options("/oauth/token", HTTP_ORIGIN="https://app.example")
    assert allowed.status_code == 204
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Authorization" in allowed["Access-Control-Allow-Headers"]
    foreign = flow.browser.options("/oauth/token", HTTP_ORIGIN="https://evil.example")
    assert "Access-Control-Allow-Origin" not in foreign
    data = {"grant_type": "refresh_token", "refresh_token": "x"}
    for origin, expected in (
        ("https://app.example", True),
        ("https://two.example", False),
        ("https://evil.example", False),
        ("null", False),
    ):
        response = flow.post("/oauth/token", data, HTTP_ORIGIN=origin)
        assert ("Access-Control-Allow-Origin" in response) is expected, origin
        assert "Access-Control-Allow-Credentials" not in response
        assert response["Vary"] == "Origin"
    tokens = flow.tokens()
    assert flow.userinfo(tokens["access_token"], HTTP_ORIGIN="https://app.example")["Access-Control-Allow-Origin"]
    answer = flow.userinfo(tokens["access_token"], HTTP_ORIGIN="https://two.example")
    assert "Access-Control-Allow-Origin" not in answer
