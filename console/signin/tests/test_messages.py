"""The page of text messages: providers, limits, spend and log; secrets go in and never come out."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.test import override_settings

from identity.audit.models import AuditEvent
from identity.audit.outbox import drain
from identity.courier.commands import deliver_due, queue_message
from identity.courier.models import SmsProvider
from identity.courier.queries import secrets_of
from identity.courier.testing import FakeProvider, fake_provider, twilio_says
from identity.courier.tests.accounts import ACCOUNT, SECRET, SERVICE, TOKEN, TWILIO, gateway, provider
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.realms.models import Realm
from identity.security.models import Alert
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
PAGE = "/console/sign-in/messages"
NUMBER = "+4915112345678"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider(twilio_says) as found:
        yield found


def url_of(found: SmsProvider, act: str = "") -> str:
    return f"{PAGE}/{public_id('sms_provider', found.pk)}{act}"


def stored(realm: Realm, name: str = "") -> SmsProvider:
    with realm_scope(realm):
        return SmsProvider.objects.get(name=name) if name else SmsProvider.objects.get()


def queue(realm: Realm, to: str = NUMBER) -> None:
    with realm_scope(realm), transaction.atomic():
        queue_message(realm, to=to, template="sign_in_code", context={"code": "123456"}, channel="sms")


def test_an_empty_page_says_what_to_do(as_owner: RealmClient, realm_a: Realm) -> None:
    page = as_owner.get(PAGE)
    assert page.status_code == 200
    assert "No provider yet" in page.text
    assert "Nobody carries text messages." in page.text
    assert "second factor by text message" in page.text
    assert "None yet." in page.text


@pytest.mark.parametrize(
    ("kind", "fields", "secret"),
    [
        ("twilio", {"account_sid": ACCOUNT, "sender": "Acme", "auth_token": TOKEN}, TOKEN),
        ("twilio_verify", {"account_sid": ACCOUNT, "service_sid": SERVICE, "auth_token": TOKEN}, TOKEN),
        ("sns", {"region": "eu-central-1", "access_key_id": "A" * 20, "secret_access_key": TOKEN}, TOKEN),
        (
            "http",
            {
                "url": "https://sms.example.com/send", "method": "POST", "body_kind": "json",
                "body": '{"to": "{to}", "text": "{text}"}', "headers": "Authorization: Bearer {secret}\nX-App: rk",
                "secret": SECRET, "success_from": "200", "success_to": "299", "success_path": "status",
                "success_values": "queued\nsent",
            },
            SECRET,
        ),
    ],
)  # fmt: skip
def test_each_kind_is_added_by_its_form_and_its_secret_never_comes_back(
    as_owner: RealmClient, realm_a: Realm, kind: str, fields: dict[str, str], secret: str
) -> None:
    assert f'value="{kind}"' in as_owner.get(f"{PAGE}/new?kind={kind}").text
    answer = as_owner.post(f"{PAGE}/new", {"kind": kind, "name": "Main", **fields})
    made = stored(realm_a)
    assert (answer.status_code, answer["Location"].endswith("/test")) == (302, True)
    assert (made.kind, secret in secrets_of(made).values()) == (kind, True)
    for url in (url_of(made), PAGE, url_of(made, "/test"), url_of(made, "/delete")):
        assert secret not in as_owner.get(url).text
    # Saved again as it stands: nothing changes, the secret neither.
    again = as_owner.post(url_of(made), {"name": "Main", "version": "1", **fields, "auth_token": "", "secret": "",
                                         "secret_access_key": ""})  # fmt: skip
    assert again.status_code == 302
    assert (stored(realm_a).version, secret in secrets_of(stored(realm_a)).values()) == (1, True)


def test_what_is_refused_is_shown_at_its_field(as_owner: RealmClient, realm_a: Realm) -> None:
    answer = as_owner.post(f"{PAGE}/new", {"kind": "twilio", "name": "x", "account_sid": "AC1", "sender": "Acme",
                                           "auth_token": TOKEN})  # fmt: skip
    assert answer.status_code == 422
    assert "two letters and 32 hexadecimal digits" in answer.text
    assert TOKEN not in answer.text
    assert as_owner.post(f"{PAGE}/new", {"kind": "pigeon"}).status_code == 422
    bad = {"kind": "http", "name": "x", "url": "https://x.example", "method": "POST", "body_kind": "json",
           "body": "{}", "headers": "no colon", "success_from": "200", "success_to": "299"}  # fmt: skip
    assert "Write each line as Name: value." in as_owner.post(f"{PAGE}/new", bad).text
    # The secret isn't sent back, so it is asked for again: else the next click would add the provider without it.
    typed = as_owner.post(f"{PAGE}/new", {**bad, "secret": SECRET})
    assert "Type it again" in typed.text
    assert SECRET not in typed.text
    right = {**bad, "body": '{"to": "{to}", "text": "{text}"}', "headers": "Authorization: Bearer {secret}"}
    lost = as_owner.post(f"{PAGE}/new", right)
    assert (lost.status_code, "The request has {secret} in it" in lost.text) == (422, True)


def test_who_saved_meanwhile_is_not_overwritten(as_owner: RealmClient, realm_a: Realm) -> None:
    made = provider(realm_a, "twilio", TWILIO)
    fields = {"name": "New", "account_sid": ACCOUNT, "sender": "Acme"}
    assert as_owner.post(url_of(made), {**fields, "version": "1"}).status_code == 302
    late = as_owner.post(url_of(made), {**fields, "name": "Late", "version": "1"})
    assert late.status_code == 409
    assert "Not saved." in late.text
    assert stored(realm_a).name == "New"


def test_the_order_is_moved_and_each_is_switched(as_owner: RealmClient, realm_a: Realm) -> None:
    first, second = provider(realm_a, "twilio", TWILIO, name="One"), provider(realm_a, "twilio", TWILIO, name="Two")
    as_owner.post(url_of(second, "/move"), {"up": "1"})
    as_owner.post(url_of(second, "/move"), {"up": "1"})
    page = as_owner.get(PAGE).text
    assert page.index(">Two<") < page.index(">One<")
    dialog = as_owner.get(url_of(first, "/disable")).text
    assert "the last one" not in dialog
    assert as_owner.post(url_of(first, "/disable")).status_code == 302
    assert not stored(realm_a, "One").enabled
    assert "the last one" in as_owner.get(url_of(second, "/delete")).text
    as_owner.post(url_of(first, "/enable"))
    assert stored(realm_a, "One").enabled


def test_deleting_asks_for_the_name_and_says_what_ends(as_owner: RealmClient, realm_a: Realm) -> None:
    made = provider(realm_a, "twilio", TWILIO, name="Main")
    with override_settings(REALMKEEP_DEVELOPMENT=False):
        dialog = as_owner.get(url_of(made, "/delete")).text
    assert "no code reaches a phone any more" in dialog
    assert "second factor by text message" in dialog
    assert as_owner.post(url_of(made, "/delete"), {"confirm": "main"}).status_code == 422
    assert as_owner.post(url_of(made, "/delete"), {"confirm": "Main"}).status_code == 302
    with realm_scope(realm_a):
        assert not SmsProvider.objects.exists()
    assert as_owner.get(url_of(made)).status_code == 404


def test_a_test_message_shows_each_step(as_owner: RealmClient, realm_a: Realm, fake: FakeProvider) -> None:
    Realm.objects.filter(pk=realm_a.pk).update(settings={"default_country": "DE"})
    made = provider(realm_a, "twilio", TWILIO)
    right = as_owner.post(url_of(made, "/test"), {"to": "0151 12345678"})
    assert right.text.count(">Right<") == 4
    assert fake.heard[0].form["To"] == NUMBER
    fake.behavior = lambda _heard: (401, json.dumps({"code": 20003, "message": "their own words"}))
    wrong = as_owner.post(url_of(made, "/test"), {"to": NUMBER})
    assert "refused the credentials" in wrong.text
    assert (wrong.text.count(">Right<"), wrong.text.count(">Not tried<")) == (2, 1)
    assert "their own words" not in wrong.text
    assert as_owner.post(url_of(made, "/test"), {"to": "hello"}).status_code == 422
    for _ in range(8):
        as_owner.post(url_of(made, "/test"), {"to": NUMBER})
    assert as_owner.post(url_of(made, "/test"), {"to": NUMBER}).status_code == 429


def test_in_05_a_provider_that_is_not_reached_says_no_more(as_owner: RealmClient, realm_a: Realm) -> None:
    texts = set()
    for url in ("https://169.254.169.254/latest", "https://127.0.0.1:1/", "https://nothing.invalid/"):
        made = provider(realm_a, "http", gateway(url), name=url)
        page = as_owner.post(url_of(made, "/test"), {"to": NUMBER}).text
        (steps,) = re.findall(r'<ul class="in stack g6".*?</ul>', page, re.DOTALL)
        texts.add(steps)
    assert len(texts) == 1


def test_limits_are_saved_and_their_bounds_hold(as_owner: RealmClient, realm_a: Realm) -> None:
    values = {"card": "limits", "version": str(realm_a.version), "sms_daily_limit": "50", "sms_number_daily_limit": "3",
              "sms_prefix_daily_limit": "20", "sms_prefixes_blocked": "+7\n+4915"}  # fmt: skip
    assert as_owner.post(PAGE, values).status_code == 302
    realm = Realm.objects.get(pk=realm_a.pk)
    assert (realm.setting("sms_daily_limit"), realm.setting("sms_prefixes_blocked")) == (50, ["+7", "+4915"])
    assert as_owner.post(PAGE, {**values, "sms_number_daily_limit": "0", "version": ""}).status_code == 422
    assert as_owner.post(PAGE, {**values, "sms_prefixes_blocked": "49", "version": ""}).status_code == 422


def test_spend_and_log_show_ranges_and_hints_and_no_number(
    as_owner: RealmClient, realm_a: Realm, realm_b: Realm, fake: FakeProvider
) -> None:
    Realm.objects.filter(pk=realm_a.pk).update(settings={"sms_number_daily_limit": 1})
    realm = Realm.objects.get(pk=realm_a.pk)
    provider(realm, "twilio", TWILIO, name="Carrier")
    queue(realm)
    queue(realm)
    queue(realm_b, "+33612345678")
    deliver_due()
    page = as_owner.get(PAGE).text
    assert NUMBER not in page
    assert "12345678" not in page
    assert "+49 … 678" in page
    assert "+4915…" in page
    assert "+3361" not in page
    assert "the number had its messages for today" in page
    assert "took it" in page


@pytest.mark.parametrize("act", ["", "/test", "/disable", "/delete"])
def test_who_may_only_look_changes_nothing(
    as_role: Callable[[str], RealmClient], as_nobody: RealmClient, realm_a: Realm, act: str
) -> None:
    made = provider(realm_a, "twilio", TWILIO)
    auditor = as_role("Auditor")
    page = auditor.get(PAGE)
    assert page.status_code == 200
    assert "Add provider" not in page.text
    assert auditor.post(url_of(made, act), {"name": "x", "to": NUMBER, "confirm": made.name}).status_code == 403
    assert auditor.post(PAGE, {"card": "limits"}).status_code == 403
    assert as_nobody.get(PAGE).status_code == 403
    assert stored(realm_a).enabled


def test_ti_02_another_realms_provider_is_a_404(as_owner: RealmClient, realm_a: Realm, realm_b: Realm) -> None:
    theirs = provider(realm_b, "twilio", TWILIO)
    for act in ("", "/test", "/disable", "/delete"):
        assert as_owner.get(url_of(theirs, act)).status_code == 404
    for act in ("", "/move", "/enable", "/disable", "/delete", "/test"):
        assert as_owner.post(url_of(theirs, act), {"to": NUMBER}).status_code == 404
    assert as_owner.get(f"{PAGE}/nonsense").status_code == 404


def test_lg_13_a_used_up_budget_is_shown_on_the_security_page(as_owner: RealmClient, realm_a: Realm) -> None:
    Realm.objects.filter(pk=realm_a.pk).update(settings={"sms_prefix_daily_limit": 1})
    realm = Realm.objects.get(pk=realm_a.pk)
    queue(realm)
    queue(realm, "+4915112345679")
    drain()
    page = as_owner.get("/console/security").text
    assert "Text message budget used up" in page
    assert "+4915…" in page
    assert f"/realms/a{PAGE}" in page
    with realm_scope(realm):
        alert = Alert.objects.get()
    contain = f"/console/security/{public_id('alert', alert.pk)}/contain"
    # It names no person and no address: ending "their" sessions must not mean everybody's.
    assert as_owner.get(contain).status_code == 404
    assert as_owner.post(contain).status_code in (404, 422)
    assert AuditEvent.objects.filter(realm_id=realm.pk, type="session.ended").count() == 0
