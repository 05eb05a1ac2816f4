"""Security page: passkeys, second step, recovery codes, trusted devices; each change after a fresh sign-in."""

import json
import re
from datetime import timedelta

import pytest

from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.mfa import commands, queries
from identity.mfa.testing import SoftKey, code_at
from identity.mfa.tests.conftest import SECRET, add_key, change, himself, with_app
from identity.sessions.models import Session
from identity.sessions.rules import ACR_TWO
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(realm_a, user_a):
    return RealmClient(realm_a).sign_in(user_a)


@pytest.fixture
def key():
    return SoftKey("http://testserver")


def shows_a_code(client, offset=0):
    """The second factor, as the page asks for it."""
    code = code_at(SECRET, clock.now(), offset)
    done = client.post("/signin/again", {"factor": "totp", "code": code, "by": "factor", "next": "/realms/a/account/"})
    assert done["Location"] == "/realms/a/account/"


def stale():
    return clock.clock_at(clock.now() + timedelta(minutes=6))


def test_the_page_offers_what_the_realm_offers(dana, realm_a):
    text = dana.get("/account/security").text
    for word in ("Passkeys", "Authenticator app", "Text message codes", "Email codes"):
        assert word in text
    change(realm_a, second_factor_methods=["totp"])
    text = dana.get("/account/security").text
    assert "Text message codes" not in text
    assert "Add a passkey" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/account/factors/add",
        "/account/factors/add/app",
        "/account/factors/add/passkey",
        "/account/factors/add/number",
        "/account/factors/add/email",
        "/account/factors/codes",
        "/account/factors/a1/remove",
        "/account/factors/a1/rename",
    ],
)
def test_lg_20_a_sign_in_that_is_not_fresh_is_confirmed_first_and_one_comes_back(dana, path):
    with stale():
        response = dana.get(path)
        assert response["Location"] == f"/realms/a/signin/again?next=/realms/a{path}"
        assert dana.post(path, {"code": "1"})["Location"].startswith("/realms/a/signin/again")


MANAGING = [
    "/account/factors/add",
    "/account/factors/add/app",
    "/account/factors/add/passkey",
    "/account/factors/codes",
    "/account/factors/a1/remove",
    "/account/email",
    "/account/password",
    "/account/linked/corp/link",
]


def test_lg_20_who_has_a_second_factor_shows_it_before_managing_anything_a_password_is_not_enough(
    dana, realm_a, user_a
):
    with realm_scope(realm_a):
        with_app(user_a)
    for path in MANAGING:
        for response in (dana.get(path), dana.post(path, {"code": "1"})):
            assert response["Location"] == f"/realms/a/signin/again?next=/realms/a{path}&by=factor", path
    # The password, given again just now, is none; nor does the page offer it there.
    page = dana.get("/signin/again?by=factor")
    assert 'type="password"' not in page.text
    dana.post("/signin/again", {"factor": "password", "password": "correct horse battery"})
    assert "by=factor" in dana.get("/account/factors/add")["Location"]
    dana.post("/signin/again", {"factor": "password", "password": "correct horse battery", "by": "factor"})
    assert "by=factor" in dana.get("/account/factors/add")["Location"]
    shows_a_code(dana)
    assert dana.get("/account/factors/add").status_code == 200
    assert dana.get("/account/password").status_code == 200
    with stale():
        assert "by=factor" in dana.get("/account/factors/add")["Location"]


def test_lg_20_who_lost_the_factor_shows_a_recovery_code_and_replaces_it(dana, realm_a, user_a):
    with realm_scope(realm_a):
        factor = with_app(user_a)
        codes = commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
    assert "Recovery code" in dana.get("/signin/again?by=factor&choose=1").text
    assert "Recovery code" not in dana.get("/signin/again?choose=1").text
    dana.post("/signin/again", {"factor": "recovery_codes", "code": codes[0], "by": "factor"})
    assert dana.post(f"/account/factors/{factor.id}/remove").status_code == 302
    with realm_scope(realm_a):
        assert not any(each.is_second_factor for each in queries.factors_of(user_a.pk))


def test_an_app_is_added_then_codes_are_offered_and_shown_once(dana, realm_a, user_a):
    with realm_scope(realm_a):
        Session.objects.filter(user=user_a).update(amr=["pwd"])
    page = dana.get("/account/factors/add/app")
    secret = re.search(r"<span data-key>([A-Z2-7 ]+)</span>", page.text).group(1).replace(" ", "")
    response = dana.post("/account/factors/add/app", {"code": code_at(secret, clock.now())})
    assert response["Location"].endswith("/account/factors/codes")
    with realm_scope(realm_a):
        assert Session.objects.get(user=user_a).acr == ACR_TWO
    shown = dana.post("/account/factors/codes")
    codes = re.findall(r"<li>([a-z2-9]{4}-[a-z2-9]{4})</li>", shown.text)
    assert len(codes) == 10
    assert "I’ve saved these codes" in shown.text
    assert shown["Cache-Control"]
    assert not re.search(codes[0], dana.get("/account/factors/codes").text)
    assert "10 of 10 left" in dana.get("/account/security").text


def test_a_passkey_is_added_named_renamed_and_removed(dana, realm_a, user_a, key):
    page = dana.get("/account/factors/add/passkey")
    options = json.loads(
        re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page.text, re.DOTALL).group(1)
    )
    answer = json.dumps(key.create(options))
    assert dana.post("/account/factors/add/passkey", {"credential": answer, "name": "Laptop"}).status_code == 302
    with realm_scope(realm_a):
        factor = queries.factors_of(user_a.pk)[0]
    assert factor.name == "Laptop"
    assert dana.post(f"/account/factors/{factor.id}/rename", {"name": "Kitchen"}).status_code == 302
    assert "Kitchen" in dana.get("/account/security").text
    assert dana.post(f"/account/factors/{factor.id}/remove").status_code == 302
    assert "Kitchen" not in dana.get("/account/security").text
    assert dana.post("/account/factors/add/passkey", {"credential": answer}).status_code == 200
    with realm_scope(realm_a):
        assert queries.factors_of(user_a.pk) == []


def test_another_persons_factor_is_not_there(dana, realm_a, realm_b, owner_a, user_b, key):
    with realm_scope(realm_a):
        factor = with_app(owner_a)
    with realm_scope(realm_b):
        foreign = add_key(realm_b, user_b, key)
    for each in (factor, foreign):
        for act in ("remove", "rename"):
            assert dana.get(f"/account/factors/{each.id}/{act}").status_code == 404
            assert dana.post(f"/account/factors/{each.id}/{act}", {"name": "x"}).status_code == 404


def test_the_last_one_says_why_it_stays(dana, realm_a, user_a):
    with realm_scope(realm_a):
        factor = with_app(user_a)
    change(realm_a, second_factor="required")
    shows_a_code(dana)
    page = dana.get(f"/account/factors/{factor.id}/remove")
    assert "this is your last one" in page.text
    assert "btn-danger" not in page.text
    dana.post(f"/account/factors/{factor.id}/remove")
    with realm_scope(realm_a):
        assert len(queries.factors_of(user_a.pk)) == 1


def test_somebody_without_a_password_confirms_with_a_factor(dana, realm_a, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
        session = Session.objects.get(user=user_a)
        Session.objects.filter(pk=session.pk).update(authenticated_at=clock.now() - timedelta(minutes=10))
        user_a.set_unusable_password()
        user_a.save(update_fields=["password"])
    # The sign-in hangs on the password's hash, so this is a new session of ten minutes ago.
    dana = RealmClient(realm_a).sign_in(user_a)
    with realm_scope(realm_a):
        Session.objects.filter(user=user_a).update(authenticated_at=clock.now() - timedelta(minutes=10))
    assert dana.get("/account/factors/add/passkey").status_code == 302
    page = dana.get("/signin/again?next=/realms/a/account/factors/add/passkey")
    assert "6-digit code" in page.text
    assert 'type="password"' not in page.text
    wrong = dana.post("/signin/again", {"factor": page.context["choice"].id, "code": "000000"})
    assert "That code didn’t work" in wrong.text
    assert dana.get("/account/factors/add/passkey").status_code == 302
    done = dana.post(
        "/signin/again",
        {
            "factor": page.context["choice"].id,
            "code": code_at(SECRET, clock.now()),
            "next": "/realms/a/account/factors/add/passkey",
        },
    )
    assert done["Location"] == "/realms/a/account/factors/add/passkey"
    assert dana.get("/account/factors/add/passkey").status_code == 200


def test_somebody_with_nothing_but_an_address_confirms_by_a_code_to_it(realm_a, user_a, monkeypatch):
    sent = []
    from identity.signin.commands import confirming

    monkeypatch.setattr(confirming, "queue_message", lambda realm, **values: sent.append(values))
    with realm_scope(realm_a):
        user_a.set_unusable_password()
        user_a.save(update_fields=["password"])
    dana = RealmClient(realm_a).sign_in(user_a)
    with stale():
        page = dana.get("/signin/again?next=/realms/a/account/email")
        assert "Send the code" in page.text
        page = dana.post("/signin/again", {"factor": "mailed", "send": "yes", "next": "/realms/a/account/email"})
        note = re.search(r'name="note" value="([^"]+)"', page.text).group(1)
        assert sent[0]["to"] == "dana@example.com"
        form = {"factor": "mailed", "note": note, "next": "/realms/a/account/email"}
        assert dana.post("/signin/again", {**form, "code": "000000"}).status_code == 200
        done = dana.post("/signin/again", {**form, "code": sent[0]["context"]["code"]})
        assert done["Location"] == "/realms/a/account/email"
        assert dana.get("/account/email").status_code == 200


def test_htmx_gets_the_address_in_a_header(dana):
    with stale():
        response = dana.post(
            "/account/factors/codes",
            HTTP_HX_REQUEST="true",
            HTTP_HX_CURRENT_URL="http://testserver/realms/a/account/security",
        )
    assert response.status_code == 204
    assert response["HX-Redirect"] == "/realms/a/signin/again?next=/realms/a/account/security"


def test_a_trusted_browser_is_listed(dana, realm_a, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
    change(realm_a, trusted_device_lifetime=86400)
    with realm_scope(realm_a):
        commands.trust_device(
            himself(user_a), user_id=user_a.pk, device_id="d", label="(X11; Linux x86_64; rv:1) Firefox/115.0"
        )
    assert "Firefox on Linux" in dana.get("/account/security").text
