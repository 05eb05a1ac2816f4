"""Messages: queued with their cause, sent once, safe in their headers, forgotten afterwards."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from unittest.mock import patch

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import transaction
from django.test import override_settings

from identity.audit.models import AuditEvent
from identity.courier.commands import deliver_due, queue_message
from identity.courier.models import Message, MessageStatus
from identity.courier.providers import outbox_folder
from identity.courier.queries import count_waiting, outbox_messages
from identity.courier.rules import MAX_ATTEMPTS, name_to_greet, one_line, wait_before
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, NotFound, PermissionDenied
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db


def queue(realm: Realm, **fields: object) -> Message:
    with realm_scope(realm), transaction.atomic():
        return queue_message(
            realm,
            **{
                "to": "dana@example.com", "template": "reset_password",
                "context": {"url": "https://x.example/secret-link", "minutes": 60, "email": "dana@example.com"},
                **fields,
            },
        )  # fmt: skip


def row(realm: Realm, message: Message) -> Message:
    with realm_scope(realm):
        return Message.objects.get(pk=message.pk)


class Sink:
    """A mail server that keeps what it gets, or refuses it."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            self.got.append(envelope)
        return self.answer


@pytest.fixture
def sink() -> Iterator[Sink]:
    handler = Sink()
    controller = Controller(handler, hostname="127.0.0.1", port=8391)
    controller.start()
    with override_settings(EMAIL_URL="smtp://127.0.0.1:8391"):
        yield handler
    controller.stop()


def test_a_mail_reaches_the_server_in_both_forms(realm_a: Realm, sink: Sink) -> None:
    message = queue(realm_a)
    assert deliver_due() == 1
    (envelope,) = sink.got
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["dana@example.com"]
    assert f"<{message.pk}@realmkeep.example>" in text
    assert "Auto-Submitted: auto-generated" in text
    assert "Realm A" in text
    assert "text/plain" in text
    assert "text/html" in text
    stored = row(realm_a, message)
    assert (stored.status, bytes(stored.to_sealed), bytes(stored.context_sealed)) == (MessageStatus.SENT, b"", b"")
    assert deliver_due() == 0
    assert len(sink.got) == 1


def test_a_message_leaves_only_if_its_cause_happened(realm_a: Realm, sink: Sink) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        queue(realm_a)
        raise RuntimeError
    assert deliver_due() == 0
    assert sink.got == []


def test_a_refusal_for_good_is_said_and_not_tried_again(realm_a: Realm, sink: Sink) -> None:
    sink.answer = "554 no such person"
    message = queue(realm_a)
    assert deliver_due() == 0
    assert (row(realm_a, message).status, row(realm_a, message).last_error) == (MessageStatus.FAILED, "refused_554")
    event = AuditEvent.objects.get(type="message.failed")
    assert event.payload == {
        "template": "reset_password", "channel": "email", "reason": "refused_554", "attempts": 1,
    }  # fmt: skip


def test_a_passing_failure_is_tried_again_later_and_later(realm_a: Realm, sink: Sink) -> None:
    sink.answer = "451 later"
    message = queue(realm_a)
    deliver_due()
    waiting = row(realm_a, message)
    assert (waiting.status, waiting.attempts) == (MessageStatus.QUEUED, 1)
    assert waiting.not_before > clock.now() + timedelta(seconds=25)
    sink.answer = "250 OK"
    assert deliver_due() == 0
    with clock.clock_at(clock.now() + timedelta(seconds=31)):
        assert deliver_due() == 1


def test_a_server_that_is_away_is_given_up_after_the_last_try(realm_a: Realm) -> None:
    message = queue(realm_a)
    moment = clock.now()
    with override_settings(EMAIL_URL="smtp://127.0.0.1:8392"):
        for _ in range(MAX_ATTEMPTS):
            moment += timedelta(hours=3)
            with clock.clock_at(moment):
                deliver_due()
    assert row(realm_a, message).status == MessageStatus.FAILED
    assert AuditEvent.objects.filter(type="message.failed").count() == 1


def test_what_has_expired_is_never_sent(realm_a: Realm, sink: Sink) -> None:
    message = queue(realm_a, expires_at=clock.now() + timedelta(minutes=5))
    with clock.clock_at(clock.now() + timedelta(minutes=6)):
        assert deliver_due() == 0
    assert row(realm_a, message).status == MessageStatus.EXPIRED
    assert sink.got == []


def test_a_claimed_message_is_left_alone_until_the_claim_ends(realm_a: Realm, sink: Sink) -> None:
    """A worker that was killed while it sent: another one takes over after two minutes."""
    message = queue(realm_a)
    with patch("identity.courier.commands.delivery.provider_for", side_effect=SystemExit), pytest.raises(SystemExit):
        deliver_due()
    assert deliver_due() == 0
    with clock.clock_at(clock.now() + timedelta(minutes=2, seconds=1)):
        assert deliver_due() == 1
    assert row(realm_a, message).attempts == 2


def test_one_message_that_fails_holds_nobody_up(realm_a: Realm, sink: Sink) -> None:
    queue(realm_a, template="no_such_template")
    queue(realm_a)
    assert deliver_due() == 1


def test_a_suspended_realm_sends_nothing(realm_a: Realm, sink: Sink) -> None:
    queue(realm_a)
    Realm.objects.filter(pk=realm_a.pk).update(status="suspended")
    assert deliver_due() == 0
    Realm.objects.filter(pk=realm_a.pk).update(status="active")
    assert deliver_due() == 1


@pytest.mark.parametrize(
    "to",
    [
        "dana@example.com\nBcc: eve@evil.example",
        "dana@example.com, eve@evil.example",
        "Dana <dana@example.com>",
        "",
        "x",
    ],
)
def test_in_08_an_address_is_one_address(realm_a: Realm, to: str) -> None:
    with pytest.raises(Invalid):
        queue(realm_a, to=to)


def test_in_08_no_value_becomes_a_header_or_markup(realm_a: Realm, sink: Sink) -> None:
    Realm.objects.filter(pk=realm_a.pk).update(name='A"\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>')
    queue(
        realm_a, context={"url": "https://x.example/", "name": '<img src=x onerror="y">', "email": "dana@example.com"}
    )
    deliver_due()
    (envelope,) = sink.got
    head = envelope.content.decode().split("\r\n\r\n", 1)[0]
    assert not any(line.lower().startswith("bcc:") for line in head.split("\r\n"))
    assert envelope.rcpt_tos == ["dana@example.com"]
    html = mails_html(envelope)
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def mails_html(envelope: Envelope) -> str:
    part = message_from_bytes(envelope.content, policy=default).get_body(("html",))  # type: ignore[attr-defined]
    return str(part.get_content())


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Dana Okafor", "Dana Okafor"), ("Dana\r\nBcc: x", "Dana Bcc: x"), ("Win at https://evil.example", ""),
        ("see www.evil.example", ""), ("evil.example/win", ""), ("x@evil.example", ""), ("J. R. R.", "J. R. R."),
        ("x" * 80, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_in_08_a_name_carries_no_advertisement(name: str, greeted: str) -> None:
    assert name_to_greet(name) == greeted


def test_a_header_is_one_short_line() -> None:
    assert one_line("a\r\nb\x00c\u202ed") == "a b c d"
    assert len(one_line("x" * 500)) == 150


def test_waits_double_to_two_hours() -> None:
    assert [wait_before(n).total_seconds() for n in (1, 2, 3, 8, 9, 50)] == [30, 60, 120, 3840, 7200, 7200]


@override_settings(LANGUAGES=[("en", "English"), ("de", "Deutsch")])
def test_a_message_speaks_the_readers_language(realm_a: Realm) -> None:
    assert queue(realm_a, language="de").language == "de"
    assert queue(realm_a, language="xx").language == "en"
    assert queue(realm_a).language == "en"


def test_dp_01_address_and_link_are_sealed_in_the_table(realm_a: Realm) -> None:
    message = row(realm_a, queue(realm_a))
    boxes = bytes(message.to_sealed) + bytes(message.context_sealed)
    assert b"dana" not in boxes
    assert b"secret-link" not in boxes


# --- development


def test_the_outbox_shows_a_realms_own_messages_while_developing(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_user_a: Actor
) -> None:
    queue(realm_a)
    (mail,) = mails(realm_a)
    assert (mail.to, mail.channel, mail.links) == ("dana@example.com", "email", ("https://x.example/secret-link",))
    assert mail.html.strip().lower().startswith("<!doctype html>")
    assert mails(realm_b) == []
    folder = outbox_folder(realm_a)
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    with realm_scope(realm_a):
        assert count_waiting(as_owner_a) == 0
        with pytest.raises(PermissionDenied):
            outbox_messages(as_user_a)
        with override_settings(REALMKEEP_DEVELOPMENT=False), pytest.raises(NotFound):
            outbox_messages(as_owner_a)


def test_without_a_way_out_production_says_so(realm_a: Realm) -> None:
    message = queue(realm_a)
    with override_settings(REALMKEEP_DEVELOPMENT=False):
        deliver_due()
    assert (row(realm_a, message).status, row(realm_a, message).last_error) == (MessageStatus.FAILED, "no_provider")


def test_a_short_message_is_written_beside_the_mails(realm_a: Realm) -> None:
    queue(realm_a, channel="sms", template="sign_in_code", to="+4930123456", context={"code": "123456", "minutes": 10})
    assert deliver_due() == 1
    with realm_scope(realm_a):
        (sms,) = outbox_messages(system_actor(realm_a.pk))
    assert (sms.channel, sms.to) == ("sms", "+4930123456")
    assert sms.text.splitlines()[0].startswith("123456 is your Realm A code.")
    assert sms.text.splitlines()[-1] == "@testserver #123456"
