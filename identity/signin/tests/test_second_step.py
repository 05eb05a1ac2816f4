"""The second step: every kind of factor, in order and out of it; added where the realm demands one."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY

from conftest import make_user
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.crypto import keyed_hash
from identity.mfa import commands, passkeys, queries
from identity.mfa.testing import SoftKey, code_at
from identity.mfa.tests.conftest import SECRET, add_key, change, himself, with_app
from identity.sessions.models import Device, Session
from identity.sessions.rules import ACR_ONE, ACR_THREE, ACR_TWO
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import sign_in

pytestmark = pytest.mark.django_db
CONFIRM = "/signin/confirm"


def later(minutes=2):
    return clock.clock_at(clock.now() + timedelta(minutes=minutes))


def row(realm, client) -> Session | None:
    store = client.session
    store.get("x")
    return store.row


def signed_in_as(client):
    return client.session.get(SESSION_KEY)


def options_of(response):
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', response.text, re.DOTALL)
    return json.loads(found.group(1))


@pytest.fixture
def app_user(realm_a, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
    return user_a


def test_after_the_password_nobody_is_signed_in_before_the_code(realm_a, app_user):
    client = RealmClient(realm_a)
    response = sign_in(client)
    assert response["Location"].endswith(CONFIRM)
    assert signed_in_as(client) is None
    assert client.get("/account/security").status_code == 302
    page = client.get(CONFIRM)
    assert "Enter your app code" in page.text
    done = client.post(CONFIRM, {"code": code_at(SECRET, clock.now())})
    assert done.status_code == 302
    assert signed_in_as(client) == str(app_user.pk)
    session = row(realm_a, client)
    assert (session.amr, session.acr) == (["pwd", "otp", "mfa"], ACR_TWO)
    used = AuditEvent.objects.get(realm_id=realm_a.pk, type="signin.succeeded")
    assert used.payload["amr"] == ["pwd", "otp", "mfa"]


def test_django_otp_holds_the_session_for_verified_by_the_right_device(realm_a, app_user):
    client = RealmClient(realm_a)
    sign_in(client)
    response = client.post(CONFIRM, {"code": code_at(SECRET, clock.now())})
    assert response.status_code == 302
    page = client.get("/account/security")
    user = page.wsgi_request.user
    assert user.is_verified()
    with realm_scope(realm_a):
        assert user.otp_device.persistent_id == queries.factors_of(app_user.pk)[0].device


def test_a_wrong_code_is_said_and_lets_nobody_in(realm_a, app_user):
    client = RealmClient(realm_a)
    sign_in(client)
    page = client.post(CONFIRM, {"code": "000000"})
    assert page.status_code == 200
    assert "That code didn’t work" in page.text
    assert signed_in_as(client) is None
    for _ in range(8):
        page = client.post(CONFIRM, {"code": "000000"})
    assert page.status_code == 429
    assert client.post(CONFIRM, {"code": code_at(SECRET, clock.now())}).status_code == 429
    assert signed_in_as(client) is None


def test_a_recovery_code_gets_in_once(realm_a, app_user):
    with realm_scope(realm_a):
        codes = commands.generate_recovery_codes(himself(app_user), user_id=app_user.pk)
        factor = next(f for f in queries.factors_of(app_user.pk) if f.kind == "recovery_codes")
    client = RealmClient(realm_a)
    sign_in(client)
    assert "Recovery code" in client.get(f"{CONFIRM}?choose=1").text
    assert "9hxd" in client.get(f"{CONFIRM}?method={factor.id}").text
    client.post(CONFIRM, {"factor": factor.id, "code": codes[0]})
    assert signed_in_as(client) == str(app_user.pk)
    other = RealmClient(realm_a)
    sign_in(other)
    other.post(CONFIRM, {"factor": factor.id, "code": codes[0]})
    assert signed_in_as(other) is None


def test_a_security_key_is_a_second_step(realm_a, user_a, key):
    key.flags = 1
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
    client = RealmClient(realm_a)
    sign_in(client)
    page = client.get(CONFIRM)
    answer = json.dumps(key.get(options_of(page)))
    assert client.post(CONFIRM, {"factor": "passkey", "credential": answer}).status_code == 302
    assert signed_in_as(client) == str(user_a.pk)
    session = row(realm_a, client)
    assert (session.amr, session.acr) == (["pwd", "hwk", "mfa"], ACR_THREE)


def test_se_02_a_signed_answer_does_not_serve_twice(realm_a, user_a, key):
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
    client, other = RealmClient(realm_a), RealmClient(realm_a)
    sign_in(client)
    answer = json.dumps(key.get(options_of(client.get(CONFIRM))))
    sign_in(other)
    other.get(CONFIRM)
    other.post(CONFIRM, {"factor": "passkey", "credential": answer})
    assert signed_in_as(other) is None
    client.post(CONFIRM, {"factor": "passkey", "credential": "{}"})
    client.post(CONFIRM, {"factor": "passkey", "credential": answer})
    assert signed_in_as(client) is None


def test_codes_by_message_are_sent_on_entering_and_again_on_wish(realm_a, user_a, monkeypatch):
    sent = []
    from identity.mfa.commands import messages

    monkeypatch.setattr(messages, "send_factor_code", lambda *a, **values: sent.append(values["code"]))
    with realm_scope(realm_a):
        device = commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="sms", to="+4915112345642")
        commands.confirm_message_device(himself(user_a), user_id=user_a.pk, device_id=device.pk, code=sent[0])
    client = RealmClient(realm_a)
    sign_in(client)
    assert len(sent) == 2
    page = client.get(CONFIRM)
    assert 'the number ending in <b dir="ltr">42</b>' in page.text
    assert "4915112345642" not in page.text
    # The page says how long another one is refused.
    assert 40 <= int(re.findall(r'data-wait="(\d+)"', page.text)[0]) <= 45
    assert client.post(CONFIRM, {"send": "yes"}).status_code == 429
    with clock.clock_at(clock.now() + timedelta(seconds=50)):
        assert "data-wait" not in client.get(CONFIRM).text
        client.post(CONFIRM, {"send": "yes"})
    assert len(sent) == 3
    client.post(CONFIRM, {"code": sent[2]})
    assert signed_in_as(client) == str(user_a.pk)
    assert row(realm_a, client).amr == ["pwd", "sms", "mfa"]


def test_se_02_the_session_key_changes_before_and_after_the_second_step(realm_a, app_user):
    client = RealmClient(realm_a)
    client.get("/signin")
    keys = [client.session.session_key]
    sign_in(client)
    keys.append(client.session.session_key)
    client.post(CONFIRM, {"code": code_at(SECRET, clock.now())})
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "path", [CONFIRM, "/signin/add", "/signin/add/app", "/signin/add/passkey", "/signin/add/number"]
)
def test_lg_01_stage_pages_out_of_order_lead_to_the_beginning(realm_a, user_a, path):
    client = RealmClient(realm_a)
    for response in (client.get(path), client.post(path), client.post(path, {"code": "123456"})):
        assert response.status_code == 302
        assert "/signin" in response["Location"]
    assert signed_in_as(client) is None


def test_lg_01_who_holds_a_factor_adds_none_on_the_way_in(realm_a, app_user):
    client = RealmClient(realm_a)
    sign_in(client)
    for path in ("/signin/add", "/signin/add/app", "/signin/add/passkey", "/signin/add/email"):
        assert client.get(path)["Location"].endswith(CONFIRM)
    response = client.post("/signin/add/email", {"to": "evil@example.com"})
    assert response["Location"].endswith(CONFIRM)
    assert client.post("/signin/add", {})["Location"].endswith(CONFIRM)
    assert signed_in_as(client) is None


def test_lg_01_what_an_abandoned_flow_had_shown_counts_nothing(realm_a, app_user):
    client = RealmClient(realm_a)
    sign_in(client)
    with realm_scope(realm_a):
        other = make_user(realm_a, "eve@example.com", name="Eve")
    sign_in(client, "eve@example.com")
    assert signed_in_as(client) == str(other.pk)
    assert row(realm_a, client).amr == ["pwd"]


def test_lg_07_a_new_password_never_takes_the_second_step_away(realm_a, app_user):
    from identity.accounts.commands import set_password

    with realm_scope(realm_a):
        set_password(system_actor(realm_a.pk), user_id=app_user.pk, password="another horse battery")
    client = RealmClient(realm_a)
    assert sign_in(client, password="another horse battery")["Location"].endswith(CONFIRM)
    assert signed_in_as(client) is None


def test_the_namesake_in_the_other_realm_is_asked_nothing(realm_a, realm_b, app_user, user_b):
    client = RealmClient(realm_b)
    sign_in(client)
    assert signed_in_as(client) == str(user_b.pk)


# --- adding one where it is demanded ---


def test_where_a_factor_is_demanded_nobody_gets_in_without_adding_one(realm_a, user_a):
    change(realm_a, second_factor="required")
    client = RealmClient(realm_a)
    assert sign_in(client)["Location"].endswith("/signin/add")
    assert client.post("/signin/add", {}).status_code == 200
    assert signed_in_as(client) is None
    page = client.get("/signin/add/app")
    secret = re.search(r"<span data-key>([A-Z2-7 ]+)</span>", page.text).group(1).replace(" ", "")
    assert client.post("/signin/add/app", {"code": "000000"}).status_code == 200
    assert signed_in_as(client) is None
    client.post("/signin/add/app", {"code": code_at(secret, clock.now())})
    assert signed_in_as(client) == str(user_a.pk)
    assert row(realm_a, client).acr == ACR_TWO


def test_the_key_of_an_app_waits_sealed(realm_a, user_a):
    change(realm_a, second_factor="required")
    client = RealmClient(realm_a)
    sign_in(client)
    page = client.get("/signin/add/app")
    secret = re.search(r"<span data-key>([A-Z2-7 ]+)</span>", page.text).group(1).replace(" ", "")
    assert secret not in json.dumps(row(realm_a, client).data)
    assert "<svg" in page.text


def test_grace_lets_in_until_it_is_over_and_is_given_once(realm_a, user_a):
    change(realm_a, second_factor="required", second_factor_grace=3600)
    client = RealmClient(realm_a)
    assert sign_in(client)["Location"].endswith("/signin/add")
    assert "Not now" in client.get("/signin/add").text
    assert signed_in_as(client) is None
    client.post("/signin/add", {})
    assert signed_in_as(client) == str(user_a.pk)
    with clock.clock_at(clock.now() + timedelta(seconds=3601)):
        late = RealmClient(realm_a)
        assert sign_in(late)["Location"].endswith("/signin/add")
        assert "Not now" not in late.get("/signin/add").text
        late.post("/signin/add", {})
        assert signed_in_as(late) is None


def test_after_a_reset_there_is_no_new_grace(realm_a, app_user, as_owner_a):
    change(realm_a, second_factor="required", second_factor_grace=3600)
    with realm_scope(realm_a):
        commands.reset_factors(as_owner_a, user_id=app_user.pk)
    client = RealmClient(realm_a)
    sign_in(client)
    client.post("/signin/add", {})
    assert signed_in_as(client) is None


# --- trusted browsers ---


def test_lg_20_a_trusted_browser_stands_for_the_second_step_of_a_sign_in_and_for_nothing_else(realm_a, app_user):
    change(realm_a, trusted_device_lifetime=30 * 86400)
    client = RealmClient(realm_a)
    sign_in(client)
    page = client.get(CONFIRM)
    assert "Trust this device for 30 days" in page.text
    assert "checked" not in page.text
    client.post(CONFIRM, {"code": code_at(SECRET, clock.now()), "trust": "yes"})
    assert signed_in_as(client) == str(app_user.pk)
    client.post("/signout")
    sign_in(client)
    assert signed_in_as(client) == str(app_user.pk)
    session = row(realm_a, client)
    assert (session.amr, session.acr) == (["pwd"], ACR_ONE)
    with realm_scope(realm_a):
        device = Device.objects.get(user=app_user, trusted_until__isnull=False)
    for path in (f"/account/trusted/{device.pk}/end", "/account/factors/codes", "/account/factors/add/app"):
        refused = client.post(path)["Location"]
        assert "by=factor" in refused, "what was shown in an earlier sign-in stands for nothing (LG-20)"
    client.post("/signin/again", {"factor": "totp", "by": "factor", "code": code_at(SECRET, clock.now(), 1)})
    assert client.post(f"/account/trusted/{device.pk}/end").status_code == 302
    with realm_scope(realm_a):
        assert not Device.objects.filter(trusted_until__isnull=False).exists()
    client.post("/signout")
    assert sign_in(client)["Location"].endswith(CONFIRM)


def test_without_the_tick_or_the_realms_consent_nothing_is_trusted(realm_a, app_user):
    client = RealmClient(realm_a)
    sign_in(client)
    assert "Trust this device" not in client.get(CONFIRM).text
    client.post(CONFIRM, {"code": code_at(SECRET, clock.now()), "trust": "yes"})
    with realm_scope(realm_a):
        assert not Device.objects.filter(trusted_until__isnull=False).exists()


def test_a_stolen_trust_cookie_serves_nobody_else(realm_a, realm_b, app_user):
    change(realm_a, trusted_device_lifetime=86400)
    client = RealmClient(realm_a)
    sign_in(client)
    client.post(CONFIRM, {"code": code_at(SECRET, clock.now()), "trust": "yes"})
    with realm_scope(realm_a):
        eve = make_user(realm_a, "eve@example.com")
        with later():
            with_app(eve)
    client.post("/signout")
    assert sign_in(client, "eve@example.com")["Location"].endswith(CONFIRM)


# --- passkeys alone ---


def passkey_answer(client, key):
    found = client.get("/signin/passkey").json()
    return {"credential": json.dumps(key.get(found["options"])), "state": found["state"]}


def test_a_passkey_alone_signs_in_and_needs_no_second_step(realm_a, user_a, key):
    change(realm_a, passkey_sign_in=True)
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
    client = RealmClient(realm_a)
    answer = passkey_answer(client, key)
    client.post("/signin/passkey", answer)
    assert signed_in_as(client) == str(user_a.pk)
    session = row(realm_a, client)
    assert (session.amr, session.acr) == (["hwk", "user", "mfa"], ACR_THREE)
    again = RealmClient(realm_a)
    again.post("/signin/passkey", answer)
    assert signed_in_as(again) is None


def test_lg_23_the_question_names_nobody_and_stores_nothing(realm_a, user_a, key):
    change(realm_a, passkey_sign_in=True)
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
        before = Session.objects.count()
    found = RealmClient(realm_a).get("/signin/passkey?login=dana@example.com").json()
    nobody = RealmClient(realm_a).get("/signin/passkey?login=nobody@example.com").json()
    for each in (found, nobody):
        each["options"].pop("challenge")
        each.pop("state")
    assert found == nobody
    assert not found["options"].get("allowCredentials")
    with realm_scope(realm_a):
        assert Session.objects.count() == before


def test_a_realm_without_passkeys_has_no_such_way_in(realm_a, user_a, key):
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
    client = RealmClient(realm_a)
    assert client.get("/signin/passkey").status_code == 404
    _, state = passkeys.request_options(realm_a, None, verified=True)
    token = passkeys.signed_state(realm_a, state)
    assert client.post("/signin/passkey", {"credential": "{}", "state": token}).status_code == 404


def test_a_disabled_person_does_not_come_in_by_passkey(realm_a, user_a, as_owner_a, key):
    from identity.accounts.commands import disable_user

    change(realm_a, passkey_sign_in=True)
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
        disable_user(as_owner_a, user_id=user_a.pk)
    client = RealmClient(realm_a)
    client.post("/signin/passkey", passkey_answer(client, key))
    assert signed_in_as(client) is None


@pytest.mark.parametrize("broken", ["identity.signin.stages.step_of_sign_in", "identity.mfa.queries.usable_factors"])
def test_lg_02_a_failure_inside_the_policy_lets_nobody_in(realm_a, app_user, monkeypatch, broken):
    def fail(*args, **values):
        raise RuntimeError("the policy is away")

    monkeypatch.setattr(broken, fail)
    client = RealmClient(realm_a, raise_request_exception=False)
    assert sign_in(client).status_code == 500
    assert signed_in_as(client) is None


def test_the_trust_of_a_browser_is_under_its_hashed_id(realm_a, app_user):
    with realm_scope(realm_a):
        assert queries.device_hashes(realm_a, "x") == [keyed_hash("device", realm_a.pk, "x")]


@pytest.fixture
def key() -> SoftKey:
    return SoftKey("http://testserver")


def test_lg_19_a_network_that_answers_in_vain_is_slowed_and_nobody_else(realm_a, user_a):
    change(realm_a, passkey_sign_in=True)
    client = RealmClient(realm_a, REMOTE_ADDR="192.0.2.7")
    for _ in range(60):
        client.post("/signin/passkey", {"state": "x", "credential": "{}"})
    client.get("/signin")
    client.post("/signin/passkey", {"state": "x", "credential": "{}"})
    assert "Too many tries" in client.get("/signin").text
    other = RealmClient(realm_a, REMOTE_ADDR="192.0.2.8")
    other.post("/signin/passkey", {"state": "x", "credential": "{}"})
    assert "Too many tries" not in other.get("/signin").text
