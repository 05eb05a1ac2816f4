"""Short messages over HTTP by the real client code: each kind of provider, failures, and the next one."""

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import override_settings

from identity.audit.models import AuditEvent
from identity.courier.commands import deliver_due, note_code_used, queue_message
from identity.courier.models import Message, MessageStatus, SmsProvider
from identity.courier.providers import asking
from identity.courier.queries import outbox_messages
from identity.courier.testing import FakeProvider, Heard, Said, fake_provider, twilio_says
from identity.courier.tests.accounts import ACCOUNT, SECRET, SERVICE, SNS, TOKEN, TWILIO, VERIFY, gateway, provider
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db
NUMBER = "+4915112345678"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider(twilio_says) as found:
        yield found


def queue(realm: Realm, **fields: object) -> Message:
    with realm_scope(realm), transaction.atomic():
        return queue_message(
            realm,
            **{"to": NUMBER, "template": "sign_in_code", "context": {"code": "123456"}, "channel": "sms", **fields},
        )


def row(realm: Realm, message: Message) -> Message:
    with realm_scope(realm):
        return Message.objects.get(pk=message.pk)


def outcomes(realm: Realm, message: Message) -> list[tuple[str, str]]:
    return [(each["provider"], each["outcome"]) for each in row(realm, message).tries]


def failures(realm: Realm) -> list[str]:
    found = AuditEvent.objects.filter(realm_id=realm.pk, type="message.failed").order_by("id")
    return [event.payload["reason"] for event in found]


# --- Twilio


def test_twilio_gets_the_message_as_its_api_wants_it(realm_a: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "twilio", TWILIO, name="Twilio EU")
    message = queue(realm_a)
    assert deliver_due() == 1
    (heard,) = fake.heard
    assert (heard.method, heard.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert heard.headers["authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert heard.form["To"] == NUMBER
    assert heard.form["From"] == "+15005550006"
    assert heard.form["Body"].splitlines()[-1] == "@testserver #123456"
    stored = row(realm_a, message)
    assert (stored.status, stored.reference) == (MessageStatus.SENT, "SM" + "0" * 32)
    assert (bytes(stored.to_sealed), bytes(stored.context_sealed)) == (b"", b"")
    assert outcomes(realm_a, message) == [("Twilio EU", "sent")]


def test_twilio_takes_a_messaging_service_and_an_api_key(realm_a: Realm, fake: FakeProvider) -> None:
    settings = {"account_sid": ACCOUNT, "sender": "MG" + "c3" * 16, "api_key_sid": "SK" + "d4" * 16}
    provider(realm_a, "twilio", {"settings": settings, "secrets": {"auth_token": TOKEN}})
    queue(realm_a)
    deliver_due()
    assert fake.heard[0].form["MessagingServiceSid"] == settings["sender"]
    assert "From" not in fake.heard[0].form
    user = base64.b64decode(fake.heard[0].headers["authorization"].split()[1]).decode().split(":")[0]
    assert user == settings["api_key_sid"]


def test_verify_carries_our_code_and_hears_that_it_was_used(realm_a: Realm, realm_b: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "twilio_verify", VERIFY)
    queue(realm_a, language="en")
    deliver_due()
    (heard,) = fake.heard
    assert heard.path == f"/v2/Services/{SERVICE}/Verifications"
    assert heard.form == {"To": NUMBER, "Channel": "sms", "CustomCode": "123456", "Locale": "en"}
    with realm_scope(realm_b):
        note_code_used(realm_b, to=NUMBER)
    with realm_scope(realm_a):
        note_code_used(realm_a, to="+4915112345679")
    assert deliver_due() == 0
    with realm_scope(realm_a):
        note_code_used(realm_a, to=NUMBER)
    assert deliver_due() == 1
    assert fake.heard[-1].path == f"/v2/Services/{SERVICE}/Verifications/VE{'0' * 32}"
    assert fake.heard[-1].form == {"Status": "approved"}


def test_verify_leaves_what_has_no_code_to_the_next_one(realm_a: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "twilio_verify", VERIFY, name="Verify")
    provider(realm_a, "twilio", TWILIO, name="Messages")
    message = queue(realm_a, template="test", context={})
    assert deliver_due() == 1
    assert outcomes(realm_a, message) == [("Verify", "codes_only"), ("Messages", "sent")]


@pytest.mark.parametrize(("code", "word"), [(21211, "invalid_number"), (21614, "invalid_number"), (21610, "opted_out")])
def test_a_refusal_of_the_number_is_not_asked_elsewhere(
    realm_a: Realm, fake: FakeProvider, code: int, word: str
) -> None:
    fake.behavior = lambda _heard: (400, json.dumps({"code": code, "message": f"The number {NUMBER}…", "status": 400}))
    provider(realm_a, "twilio", TWILIO, name="First")
    provider(realm_a, "twilio", TWILIO, name="Second")
    message = queue(realm_a)
    assert deliver_due() == 0
    assert len(fake.heard) == 1
    assert row(realm_a, message).status == MessageStatus.FAILED
    assert (outcomes(realm_a, message), failures(realm_a)) == ([("First", word)], [word])


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ((503, "down"), "http_503"), ((429, "{}"), "throttled"), ((401, '{"code": 20003}'), "twilio_20003"),
        ((400, '{"code": 21408}'), "twilio_21408"), ((301, ""), "http_301"), ((404, "[1, 2]"), "http_404"),
    ],
)  # fmt: skip
def test_a_provider_that_fails_is_followed_by_the_next(
    realm_a: Realm, fake: FakeProvider, said: Said, word: str
) -> None:
    provider(realm_a, "twilio", TWILIO, name="First")
    provider(realm_a, "http", gateway(f"{fake.url}/second"), name="Second")
    fake.behavior = lambda heard: (200, "ok") if heard.path == "/second" else said
    message = queue(realm_a)
    assert deliver_due() == 1
    assert outcomes(realm_a, message) == [("First", word), ("Second", "sent")]
    assert failures(realm_a) == []


def test_a_slow_provider_is_left_at_its_deadline_and_alone_for_the_run(
    realm_a: Realm, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 0.5)

    def behavior(heard: Heard) -> Said:
        if heard.path == "/slow":
            time.sleep(3)
        return 200, "ok"

    fake.behavior = behavior
    provider(realm_a, "http", gateway(f"{fake.url}/slow"), name="Slow")
    provider(realm_a, "http", gateway(f"{fake.url}/quick"), name="Quick")
    first, second = queue(realm_a), queue(realm_a, to="+4915112345679")
    began = time.monotonic()
    assert deliver_due() == 2
    assert time.monotonic() - began < 2.5
    assert outcomes(realm_a, first) == [("Slow", "unreachable"), ("Quick", "sent")]
    assert outcomes(realm_a, second) == [("Slow", "skipped"), ("Quick", "sent")]
    assert [heard.path for heard in fake.heard].count("/slow") == 1


def test_one_realms_slow_provider_holds_up_no_other_realm(
    realm_a: Realm, realm_b: Realm, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.courier.commands.delivery.REALM_SECONDS", 0.1)
    monkeypatch.setattr(asking, "SECONDS", 0.3)
    fake.behavior = lambda heard: (time.sleep(1), (200, ""))[1] if heard.path == "/slow" else (200, "")
    provider(realm_a, "http", gateway(f"{fake.url}/slow"))
    provider(realm_b, "http", gateway(f"{fake.url}/quick"))
    for last in range(3):
        queue(realm_a, to=f"{NUMBER[:-1]}{last}")
    theirs = queue(realm_b)
    assert deliver_due() == 1
    assert row(realm_b, theirs).status == MessageStatus.SENT
    assert [heard.path for heard in fake.heard].count("/slow") == 1


def test_message_failed_is_said_only_when_all_have_failed_for_good(realm_a: Realm, fake: FakeProvider) -> None:
    fake.behavior = lambda _heard: (503, "")
    provider(realm_a, "twilio", TWILIO, name="First")
    provider(realm_a, "twilio", TWILIO, name="Second")
    message = queue(realm_a, expires_at=clock.now() + timedelta(minutes=10))
    deliver_due()
    waiting = row(realm_a, message)
    assert (waiting.status, failures(realm_a)) == (MessageStatus.QUEUED, [])
    assert outcomes(realm_a, message) == [("First", "http_503"), ("Second", "http_503")]
    with clock.clock_at(clock.now() + timedelta(minutes=11)):
        assert deliver_due() == 0
    assert (row(realm_a, message).status, failures(realm_a)) == (MessageStatus.EXPIRED, ["http_503"])
    assert len(fake.heard) == 2


def test_wrong_credentials_everywhere_fail_at_once(realm_a: Realm, fake: FakeProvider) -> None:
    fake.behavior = lambda _heard: (401, '{"code": 20003}')
    provider(realm_a, "twilio", TWILIO)
    message = queue(realm_a)
    deliver_due()
    assert (row(realm_a, message).status, failures(realm_a)) == (MessageStatus.FAILED, ["twilio_20003"])


def test_only_enabled_providers_of_the_own_realm_are_asked(realm_a: Realm, realm_b: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "http", gateway(f"{fake.url}/off"), name="Off", enabled=False)
    provider(realm_a, "http", gateway(f"{fake.url}/a"), name="On")
    provider(realm_b, "http", gateway(f"{fake.url}/b"), name="On")
    queue(realm_a)
    queue(realm_b)
    assert deliver_due() == 2
    assert sorted(heard.path for heard in fake.heard) == ["/a", "/b"]


def test_without_a_provider_development_writes_files_and_production_says_so(realm_a: Realm) -> None:
    queue(realm_a)
    assert deliver_due() == 1
    with realm_scope(realm_a):
        (sms,) = outbox_messages(system_actor(realm_a.pk))
    assert (sms.channel, sms.to) == ("sms", NUMBER)
    message = queue(realm_a)
    with override_settings(REALMKEEP_DEVELOPMENT=False):
        deliver_due()
    assert (row(realm_a, message).status, row(realm_a, message).last_error) == (MessageStatus.FAILED, "no_provider")


def test_in_01_a_gateway_inside_our_network_is_not_reached(realm_a: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "http", gateway(f"{fake.url}/x"))
    message = queue(realm_a)
    with override_settings(REALMKEEP_OUTBOUND_NETWORKS=[]):
        deliver_due()
    assert fake.heard == []
    assert outcomes(realm_a, message) == [("http", "unreachable")]


def test_one_whose_secret_does_not_open_holds_up_no_other(realm_a: Realm, fake: FakeProvider) -> None:
    broken = provider(realm_a, "twilio", TWILIO, name="Broken")
    with realm_scope(realm_a):
        SmsProvider.objects.filter(pk=broken.pk).update(secrets_sealed=b"\1\1" + b"x" * 60)
    provider(realm_a, "twilio", TWILIO, name="Whole")
    message = queue(realm_a)
    assert deliver_due() == 1
    assert outcomes(realm_a, message) == [("Whole", "sent")]


# --- gateway


def test_the_json_preset_sends_what_a_plain_gateway_takes(realm_a: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "http", gateway(f"{fake.url}/send"))
    message = queue(realm_a)
    assert deliver_due() == 1
    (heard,) = fake.heard
    assert heard.headers["authorization"] == f"Bearer {SECRET}"
    assert heard.headers["content-type"] == "application/json"
    assert heard.json["to"] == NUMBER
    assert heard.json["id"] == str(message.pk)
    assert heard.json["text"].endswith("@testserver #123456")


def test_in_08_no_name_breaks_out_of_the_body(realm_a: Realm, fake: FakeProvider) -> None:
    evil = 'x", "to": "+19005551234'
    Realm.objects.filter(pk=realm_a.pk).update(name=evil)
    realm = Realm.objects.get(pk=realm_a.pk)
    provider(realm, "http", gateway(f"{fake.url}/json"), name="json")
    queue(realm)
    deliver_due()
    assert (fake.heard[0].json["to"], set(fake.heard[0].json)) == (NUMBER, {"to", "text", "id"})
    assert evil in fake.heard[0].json["text"]


def test_in_08_no_name_breaks_out_of_a_form_or_an_address(realm_a: Realm, fake: FakeProvider) -> None:
    Realm.objects.filter(pk=realm_a.pk).update(name="x&to=+19005551234#\r\nTo: y")
    realm = Realm.objects.get(pk=realm_a.pk)
    settings = {
        "body_kind": "form", "body": "to={to}\ntext={text}", "headers": {"X-Text": "{text}"}, "method": "PUT",
        "url": f"{fake.url}/form?key={{secret}}&about={{text}}",
    }  # fmt: skip
    provider(realm, "http", {"settings": settings, "secrets": {"secret": "a&b c"}}, name="form")
    queue(realm)
    deliver_due()
    (heard,) = fake.heard
    assert heard.method == "PUT"
    assert heard.form["to"] == NUMBER
    assert "x&to=+19005551234#" in heard.form["text"]
    assert heard.path.startswith("/form?key=a%26b+c&about=")
    assert heard.path.count("&") == 1
    assert "\n" not in heard.headers["x-text"]
    assert "to" not in heard.headers


def test_a_get_gateway_has_everything_in_its_address(realm_a: Realm, fake: FakeProvider) -> None:
    settings = {"method": "GET", "body_kind": "none", "url": f"{fake.url}/send?n={{to}}&m={{text}}&k={{secret}}"}
    provider(realm_a, "http", {"settings": settings, "secrets": {"secret": SECRET}})
    queue(realm_a)
    deliver_due()
    assert (fake.heard[0].method, fake.heard[0].body) == ("GET", b"")
    assert fake.heard[0].path.startswith("/send?n=%2B4915112345678&m=123456+is+")


@pytest.mark.parametrize(
    ("rule", "said", "word"),
    [
        ({"success_path": "status", "success_values": ["ok"]}, (200, '{"status": "ok"}'), "sent"),
        ({"success_path": "status", "success_values": ["ok"]}, (200, '{"status": "error"}'), "rule_not_met"),
        ({"success_path": "messages.0.ok", "success_values": ["true"]}, (200, '{"messages": [{"ok": true}]}'), "sent"),
        ({"success_path": "status", "success_values": ["0"]}, (200, '{"status": 0}'), "sent"),
        ({"success_path": "status", "success_values": ["0"]}, (200, "not json"), "rule_not_met"),
        ({"success_text": "OK*id="}, (200, "ok: queued, ID=7"), "sent"),
        ({"success_text": "OK*id="}, (200, "id=7 OK"), "rule_not_met"),
        ({"success_from": 202, "success_to": 202}, (200, ""), "rule_not_met"),
        ({"success_from": 400, "success_to": 404}, (404, ""), "sent"),
        ({"refused_text": "no such number"}, (422, "Error: No such number."), "invalid_number"),
        ({"refused_text": "no such number"}, (422, "Error: no credit."), "http_422"),
    ],
)  # fmt: skip
def test_the_success_rule_decides(realm_a: Realm, fake: FakeProvider, rule: dict, said: Said, word: str) -> None:
    fake.behavior = lambda _heard: said
    provider(realm_a, "http", gateway(f"{fake.url}/x", **rule))
    message = queue(realm_a)
    deliver_due()
    assert outcomes(realm_a, message) == [("http", word)]


# --- SNS


def test_sns_gets_a_signed_publish(realm_a: Realm, fake: FakeProvider) -> None:
    fake.behavior = lambda _heard: (
        200, "<PublishResponse><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId>"
        "</PublishResult></PublishResponse>",
    )  # fmt: skip
    provider(realm_a, "sns", SNS)
    message = queue(realm_a)
    assert deliver_due() == 1
    (heard,) = fake.heard
    form = heard.form
    assert (form["Action"], form["Version"], form["PhoneNumber"]) == ("Publish", "2010-03-31", NUMBER)
    assert form["Message"].endswith("@testserver #123456")
    assert form["MessageAttributes.entry.1.Name"] == "AWS.SNS.SMS.SMSType"
    assert form["MessageAttributes.entry.1.Value.StringValue"] == "Transactional"
    assert form["MessageAttributes.entry.2.Value.StringValue"] == "Acme"
    assert re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEAKIDEXAMP/\d{8}/eu-central-1/sns/aws4_request, "
        r"SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}",
        heard.headers["authorization"],
    )
    assert row(realm_a, message).reference == "567910cd-659e-55d4-8ccb-5aaf14679dc0"


@pytest.mark.parametrize(
    ("status", "code", "text", "word"),
    [
        (400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: not valid", "invalid_number"),
        (400, "InvalidParameter", "Invalid parameter: Sender", "sns_InvalidParameter"),
        (403, "OptedOut", "opted out", "opted_out"), (400, "Throttling", "Rate exceeded", "throttled"),
        (403, "SignatureDoesNotMatch", "…", "sns_SignatureDoesNotMatch"),
        (500, "InternalError", "…", "sns_InternalError"),
    ],
)  # fmt: skip
def test_what_sns_refuses_is_put_into_words(
    realm_a: Realm, fake: FakeProvider, status: int, code: str, text: str, word: str
) -> None:
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
    )
    fake.behavior = lambda _heard: (status, body)
    provider(realm_a, "sns", SNS)
    message = queue(realm_a)
    deliver_due()
    assert outcomes(realm_a, message) == [("sns", word)]


# --- what stays


def test_dp_01_nothing_of_number_or_code_stays_once_it_is_sent(realm_a: Realm, fake: FakeProvider) -> None:
    provider(realm_a, "twilio", TWILIO)
    message = queue(realm_a)
    deliver_due()
    with realm_scope(realm_a):
        (values,) = Message.objects.filter(pk=message.pk).values()
    stored = repr(values)
    assert NUMBER not in stored
    assert "123456" not in stored
    assert (values["hint"], values["prefix"]) == ("+49 … 678", "+4915")
    for event in AuditEvent.objects.filter(realm_id=realm_a.pk):
        assert NUMBER not in repr(event.payload)
