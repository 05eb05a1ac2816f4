"""Providers of short messages: who may change them, what is said, and that a secret never comes back."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from identity.audit.models import AuditEvent
from identity.courier.commands import (
    change_sms_provider,
    check_sms_provider,
    create_sms_provider,
    delete_sms_provider,
    reorder_sms_providers,
)
from identity.courier.models import SmsProvider
from identity.courier.queries import find_messages, find_sms_providers, get_sms_provider, secrets_of, sms_methods_on
from identity.courier.rules.providers import MAX_PROVIDERS
from identity.courier.testing import FakeProvider, fake_provider, twilio_says
from identity.courier.tests.accounts import SECRET, TOKEN, TWILIO, VERIFY, gateway, provider
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied, RateLimited
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db
NUMBER = "+4915112345678"


@pytest.fixture
def inside(realm_a: Realm) -> Iterator[Realm]:
    with realm_scope(realm_a):
        yield realm_a


def said(realm: Realm, kind: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=f"sms_provider.{kind}").order_by("id"))


def test_an_admin_adds_one_and_its_secret_is_sealed(inside: Realm, as_owner_a: Actor) -> None:
    made = create_sms_provider(as_owner_a, name=" Twilio  EU ", kind="twilio", **TWILIO)
    stored = SmsProvider.objects.get(pk=made.pk)
    assert (stored.name, stored.position, stored.enabled) == ("Twilio EU", 0, True)
    assert TOKEN not in repr(stored.settings)
    assert TOKEN.encode() not in bytes(stored.secrets_sealed or b"")
    assert secrets_of(stored) == {"auth_token": TOKEN}
    (event,) = said(inside, "created")
    assert (event.target_id, event.payload) == (made.pk, {"kind": "twilio"})


def test_only_those_who_may_change_settings_do(inside: Realm, as_user_a: Actor) -> None:
    made = provider(inside, "twilio", TWILIO)
    for act in (
        lambda: create_sms_provider(as_user_a, name="x", kind="twilio", **TWILIO),
        lambda: change_sms_provider(as_user_a, provider_id=made.pk, enabled=False),
        lambda: delete_sms_provider(as_user_a, provider_id=made.pk),
        lambda: reorder_sms_providers(as_user_a, provider_ids=[made.pk]),
        lambda: check_sms_provider(as_user_a, provider_id=made.pk, to=NUMBER),
        lambda: find_sms_providers(as_user_a),
        lambda: find_messages(as_user_a),
        lambda: get_sms_provider(as_user_a, provider_id=made.pk),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert SmsProvider.objects.get().enabled


def test_ti_02_another_realms_provider_is_not_there(inside: Realm, realm_b: Realm, as_owner_a: Actor) -> None:
    theirs = provider(realm_b, "twilio", TWILIO, name="Same name")
    provider(inside, "twilio", TWILIO, name="Same name")
    for act in (
        lambda: change_sms_provider(as_owner_a, provider_id=theirs.pk, enabled=False),
        lambda: delete_sms_provider(as_owner_a, provider_id=theirs.pk),
        lambda: check_sms_provider(as_owner_a, provider_id=theirs.pk, to=NUMBER),
        lambda: get_sms_provider(as_owner_a, provider_id=theirs.pk),
        lambda: change_sms_provider(as_owner_a, provider_id=uuid4(), enabled=False),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Conflict):
        reorder_sms_providers(as_owner_a, provider_ids=[theirs.pk])
    assert [row.pk for row in find_sms_providers(as_owner_a)] != [theirs.pk]


def test_a_change_names_its_fields_and_never_their_values(inside: Realm, as_owner_a: Actor) -> None:
    made = provider(inside, "http", gateway("https://sms.example.com/send"), name="Gate")
    settings = {**made.settings, "headers": {"X-Key": "typed in by mistake"}}
    changed = change_sms_provider(
        as_owner_a, provider_id=made.pk, expected_version=1, settings=settings, secrets={"secret": "another-secret"}
    )
    assert (changed.version, secrets_of(changed)) == (2, {"secret": "another-secret"})
    (event,) = said(inside, "changed")
    assert event.payload["fields"] == ["headers", "secret"]
    assert "mistake" not in repr(event.payload)
    assert "another-secret" not in repr(event.payload)


def test_an_empty_secret_stays_and_no_change_says_nothing(inside: Realm, as_owner_a: Actor) -> None:
    made = provider(inside, "twilio", TWILIO)
    same = change_sms_provider(
        as_owner_a,
        provider_id=made.pk,
        name=made.name,
        settings=made.settings,
        secrets={"auth_token": ""},
        enabled=True,
    )
    assert (same.version, secrets_of(same)) == (1, {"auth_token": TOKEN})
    assert said(inside, "changed") == []


def test_who_saved_meanwhile_is_not_overwritten(inside: Realm, as_owner_a: Actor) -> None:
    made = provider(inside, "twilio", TWILIO)
    change_sms_provider(as_owner_a, provider_id=made.pk, expected_version=1, enabled=False)
    with pytest.raises(Conflict):
        change_sms_provider(as_owner_a, provider_id=made.pk, expected_version=1, name="Late")
    with pytest.raises(Conflict):
        delete_sms_provider(as_owner_a, provider_id=made.pk, expected_version=1)


def test_ac_10_a_secret_does_not_follow_an_address_to_another_place(inside: Realm, as_owner_a: Actor) -> None:
    """Stops an admin from reading a sealed secret by sending it to himself."""
    made = provider(inside, "http", gateway("https://sms.example.com/send"))
    moved = {**made.settings, "url": "https://evil.example/send"}
    with pytest.raises(Invalid) as refused:
        change_sms_provider(as_owner_a, provider_id=made.pk, settings=moved)
    assert (refused.value.field, refused.value.reason) == ("secret", "secret_needed")
    for url in ("http://sms.example.com/send", "https://sms.example.com:8443/send", "https://sms.example.com/~mallory"):
        with pytest.raises(Invalid):
            change_sms_provider(as_owner_a, provider_id=made.pk, settings={**made.settings, "url": url})
    same_place = {**made.settings, "url": "https://SMS.example.com/send", "success_to": 202}
    change_sms_provider(as_owner_a, provider_id=made.pk, settings=same_place)
    change_sms_provider(as_owner_a, provider_id=made.pk, settings=moved, secrets={"secret": "typed-anew"})
    assert secrets_of(SmsProvider.objects.get()) == {"secret": "typed-anew"}


def test_ac_10_a_secret_is_not_made_a_text_that_an_admin_reads(inside: Realm, as_owner_a: Actor) -> None:
    """Whoever may try a provider out could have it texted to his own number."""
    made = provider(inside, "http", gateway("https://sms.example.com/send"))
    for changed in (
        {"body": '{"to": "{to}", "text": "{text} {secret}"}'},
        {"url": "https://sms.example.com/send?text={secret}"},
        {"headers": {**made.settings["headers"], "X-Text": "{secret}"}},
    ):
        with pytest.raises(Invalid) as refused:
            change_sms_provider(as_owner_a, provider_id=made.pk, settings={**made.settings, **changed})
        assert (refused.value.field, refused.value.reason) == ("secret", "secret_needed")


def test_names_are_one_each_and_providers_are_few(inside: Realm, as_owner_a: Actor) -> None:
    first = provider(inside, "twilio", TWILIO, name="Main")
    with pytest.raises(Invalid):
        create_sms_provider(as_owner_a, name="MAIN", kind="twilio", **TWILIO)
    with pytest.raises(Invalid):
        create_sms_provider(as_owner_a, name=" ", kind="twilio", **TWILIO)
    change_sms_provider(as_owner_a, provider_id=first.pk, name="main")
    for n in range(MAX_PROVIDERS - 1):
        provider(inside, "twilio", TWILIO, name=f"P{n}")
    with pytest.raises(Invalid):
        create_sms_provider(as_owner_a, name="One more", kind="twilio", **TWILIO)


def test_the_order_is_what_was_given(inside: Realm, as_owner_a: Actor) -> None:
    first, second, third = (provider(inside, "twilio", TWILIO, name=f"P{n}") for n in range(3))
    reorder_sms_providers(as_owner_a, provider_ids=[third.pk, first.pk, second.pk])
    assert [row.name for row in find_sms_providers(as_owner_a)] == ["P2", "P0", "P1"]
    reorder_sms_providers(as_owner_a, provider_ids=[third.pk, first.pk, second.pk])
    assert len(said(inside, "reordered")) == 1
    for wrong in ([first.pk], [first.pk, first.pk, second.pk], [first.pk, second.pk, third.pk, uuid4()]):
        with pytest.raises(Conflict):
            reorder_sms_providers(as_owner_a, provider_ids=wrong)


def test_deleting_takes_the_secret_with_it(inside: Realm, as_owner_a: Actor) -> None:
    made = provider(inside, "twilio", TWILIO)
    delete_sms_provider(as_owner_a, provider_id=made.pk, expected_version=1)
    assert not SmsProvider.objects.exists()
    (event,) = said(inside, "deleted")
    assert event.payload == {"kind": "twilio", "left": 0}


def test_what_needs_short_messages_is_known(realm_a: Realm) -> None:
    assert sms_methods_on(realm_a) == ["second_factor_methods"]
    realm_a.settings = {"sms_code_sign_in": True, "second_factor": "off", "sign_up_identifiers": ["phone"]}
    assert sms_methods_on(realm_a) == ["sms_code_sign_in", "sign_up_identifiers"]


# --- trying one out


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider(twilio_says) as found:
        yield found


def test_a_test_message_tells_how_far_it_came(inside: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    made = provider(inside, "twilio", TWILIO, enabled=False)
    found = check_sms_provider(as_owner_a, provider_id=made.pk, to=NUMBER)
    assert (found.was_sent, found.reference[:2]) == (True, "SM")
    assert "Realm A" in fake.heard[0].form["Body"]
    assert said(inside, "tested")[0].payload == {"result": "sent"}
    fake.behavior = lambda _heard: (401, json.dumps({"code": 20003, "message": "internal words"}))
    failed = check_sms_provider(as_owner_a, provider_id=made.pk, to=NUMBER)
    assert (failed.was_sent, failed.result) == (False, "twilio_20003")
    assert "internal words" not in repr(failed)


def test_verify_is_tried_with_a_code(inside: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    made = provider(inside, "twilio_verify", VERIFY)
    assert check_sms_provider(as_owner_a, provider_id=made.pk, to=NUMBER).was_sent
    assert fake.heard[0].form["CustomCode"] == "000000"


def test_test_messages_are_few_and_paid_from_the_same_budget(
    inside: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    made = provider(inside, "http", gateway(f"{fake.url}/x"))
    with pytest.raises(Invalid):
        check_sms_provider(as_owner_a, provider_id=made.pk, to="030 123456")
    inside.settings = {"sms_number_daily_limit": 2}
    inside.save()
    found = [check_sms_provider(as_owner_a, provider_id=made.pk, to=NUMBER) for _ in range(10)]
    assert [each.result for each in found] == ["sent", "sent"] + ["number"] * 8
    assert found[2].over_budget
    with pytest.raises(RateLimited):
        check_sms_provider(as_owner_a, provider_id=made.pk, to=NUMBER)
    assert len(fake.heard) == 2
    assert SECRET not in repr(found)
