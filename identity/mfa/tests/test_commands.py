"""Factors: added, used once, removed, reset; in two realms with the same people."""

import threading
from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection

from conftest import actor_of, make_user
from identity.access.commands import set_role_requirements
from identity.access.models import Role
from identity.accounts.commands import set_password
from identity.accounts.mails import way_back
from identity.audit.models import AuditEvent
from identity.courier.models import Message
from identity.courier.rendering import render
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.crypto import SealBroken
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied, RateLimited
from identity.mfa import commands, passkeys, queries
from identity.mfa.errors import LastFactor, WrongCode
from identity.mfa.models import AuthenticatorDevice, MessageDevice
from identity.mfa.sealing import open_secret
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import himself
from identity.realms.commands import change_realm_settings, create_provider, disable_provider
from identity.realms.queries import provider_key
from identity.sessions.models import Device, Session
from identity.sessions.rules import ACR_ONE, ACR_TWO
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def change(realm, **settings):
    with realm_scope(realm):
        changed = change_realm_settings(system_actor(realm.pk), changes=settings)
    realm.settings = changed.settings if changed is not None else {**realm.settings, **settings}
    return realm


def with_app(user, at=None):
    """Adds an app; its first code was of two minutes ago, so that those of now are free."""
    moment = at or clock.now() - timedelta(minutes=2)
    with clock.clock_at(moment):
        return commands.confirm_totp(himself(user), user_id=user.pk, secret=SECRET, code=code_at(SECRET, moment))


def add_key(realm, user, key, name="Laptop"):
    options, state = passkeys.creation_options(realm, user, [])
    return commands.add_passkey(himself(user), user_id=user.pk, state=state, credential=key.create(options), name=name)


def said(realm, type_):
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


# --- authenticator apps ---


def is_trusted(realm, user, device_id):
    """Whether the browser of this id stands for the person's second step."""
    hashes = queries.device_hashes(realm, device_id)
    return queries.stands_in(realm, Device.objects.filter(user_id=user.pk, key_hash__in=hashes).first())


def test_an_app_is_added_sealed_registered_said_and_mailed(realm_a, user_a):
    with realm_scope(realm_a):
        factor = with_app(user_a)
        user_a.refresh_from_db()
        device = AuthenticatorDevice.objects.select_related("authenticator").get()
        stored = device.authenticator.data["secret"]
        assert SECRET not in stored
        assert open_secret(stored, user_id=user_a.pk) == SECRET
        assert factor.kind == "totp"
        assert queries.has_second_factor(user_a)
        assert [m.template for m in Message.objects.all()] == ["factor_added"]
    events = said(realm_a, "factor.added")
    assert [e.payload["kind"] for e in events] == ["totp"]
    assert events[0].payload["first"] is True


def test_dp_02_a_secret_moved_to_another_person_or_realm_does_not_open(realm_a, realm_b, user_a, user_b):
    with realm_scope(realm_a):
        with_app(user_a)
        stored = AuthenticatorDevice.objects.select_related("authenticator").get().authenticator.data["secret"]
        other = make_user(realm_a, "other@example.com")
        with pytest.raises(SealBroken):
            open_secret(stored, user_id=other.pk)
    with realm_scope(realm_b), pytest.raises(SealBroken):
        open_secret(stored, user_id=user_a.pk)


def test_lg_16_a_code_works_once_however_it_is_typed(realm_a, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
        code = code_at(SECRET, clock.now())
        commands.verify_totp(himself(user_a), user_id=user_a.pk, code=f"{code[:3]} {code[3:]}")
        full_width = code.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
        for again in (code, full_width, f" {code} "):
            with pytest.raises(WrongCode):
                commands.verify_totp(himself(user_a), user_id=user_a.pk, code=again)
    assert {e.payload["reason"] for e in said(realm_a, "factor.refused")} == {"code_reused"}


@pytest.mark.parametrize(("offset", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_lg_16_the_window_is_one_step_each_way(realm_a, user_a, offset, right):
    with realm_scope(realm_a):
        with_app(user_a, clock.now() - timedelta(minutes=5))
        code = code_at(SECRET, clock.now(), offset)
        if right:
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code)
        else:
            with pytest.raises(WrongCode):
                commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code)


def test_lg_16_after_a_later_step_an_earlier_one_is_over_and_thirty_seconds_on_the_code_is_still_used(realm_a, user_a):
    now = clock.now()
    with realm_scope(realm_a):
        with_app(user_a)
        later = code_at(SECRET, now, 1)
        with clock.clock_at(now):
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=later)
            with pytest.raises(WrongCode):
                commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(SECRET, now))
        with clock.clock_at(now + timedelta(seconds=30)), pytest.raises(WrongCode):
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=later)


def test_lg_16_the_code_that_enrolled_the_app_confirms_nothing_else(realm_a, user_a):
    now = clock.now()
    with realm_scope(realm_a):
        with_app(user_a, now)
        with clock.clock_at(now), pytest.raises(WrongCode):
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(SECRET, now))


def test_another_realms_namesake_has_no_app(realm_a, realm_b, user_a, user_b):
    with realm_scope(realm_a):
        with_app(user_a)
    with realm_scope(realm_b):
        assert queries.factors_of(user_b.pk) == []
        assert queries.factors_of(user_a.pk) == []
        with pytest.raises(WrongCode):
            commands.verify_totp(himself(user_b), user_id=user_b.pk, code=code_at(SECRET, clock.now()))
        with pytest.raises(NotFound):
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(SECRET, clock.now()))


def test_an_app_is_replaced_and_the_old_one_shows_nothing_any_more(realm_a, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
        other = "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK"
        now = clock.now()
        commands.confirm_totp(himself(user_a), user_id=user_a.pk, secret=other, code=code_at(other, now))
        assert len(queries.factors_of(user_a.pk)) == 1
        with clock.clock_at(now + timedelta(minutes=2)):
            with pytest.raises(WrongCode):
                commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(SECRET, clock.now()))
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(other, clock.now()))


def test_a_wrong_first_code_adds_nothing_and_nobody_adds_for_another(realm_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        with pytest.raises(WrongCode):
            commands.confirm_totp(himself(user_a), user_id=user_a.pk, secret=SECRET, code="000000")
        with pytest.raises(NotFound):
            commands.confirm_totp(as_owner_a, user_id=user_a.pk, secret=SECRET, code=code_at(SECRET, clock.now()))
        assert queries.factors_of(user_a.pk) == []


def test_a_method_that_the_realm_does_not_offer_is_not_added(realm_a, user_a):
    change(realm_a, second_factor_methods=["passkey"])
    with realm_scope(realm_a), pytest.raises(Conflict):
        with_app(user_a)


def test_lg_19_one_methods_failures_never_lock_another(realm_a, user_a, key):
    with realm_scope(realm_a):
        with_app(user_a)
        codes = commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        add_key(realm_a, user_a, key)
        for _ in range(8):
            with pytest.raises(WrongCode):
                commands.verify_recovery_code(himself(user_a), user_id=user_a.pk, code="nope-nope")
        with pytest.raises(RateLimited):
            commands.verify_recovery_code(himself(user_a), user_id=user_a.pk, code=codes[0])
        commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(SECRET, clock.now()))
        for _ in range(60):
            options, state = passkeys.request_options(realm_a, None, verified=True)
            answer = key.get(options)
            answer["response"]["signature"] = "AAAA"
            with pytest.raises(WrongCode):
                commands.verify_sign_in_passkey(himself(user_a), state=state, credential=answer)
        options, state = passkeys.request_options(realm_a, None, verified=False)
        commands.verify_passkey(himself(user_a), user_id=user_a.pk, state=state, credential=key.get(options))
        with clock.clock_at(clock.now() + timedelta(minutes=2)):
            commands.verify_totp(himself(user_a), user_id=user_a.pk, code=code_at(SECRET, clock.now()))
    assert "too_many_tries" in [e.payload["reason"] for e in said(realm_a, "factor.refused")]


# --- recovery codes ---


def test_lg_17_recovery_codes_are_hashed_shown_once_used_once_and_replaced(realm_a, user_a):
    with realm_scope(realm_a):
        with pytest.raises(Conflict):
            commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        with_app(user_a)
        codes = commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        assert len(set(codes)) == 10
        stored = str(AuthenticatorDevice.objects.get(kind="recovery_codes").authenticator.data)
        assert not any(code in stored or code.replace("-", "") in stored for code in codes)
        commands.verify_recovery_code(himself(user_a), user_id=user_a.pk, code=codes[0].upper().replace("-", " "))
        with pytest.raises(WrongCode):
            commands.verify_recovery_code(himself(user_a), user_id=user_a.pk, code=codes[0])
        left = next(f for f in queries.factors_of(user_a.pk) if f.kind == "recovery_codes")
        assert left.left == 9
        newer = commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        with pytest.raises(WrongCode):
            commands.verify_recovery_code(himself(user_a), user_id=user_a.pk, code=codes[1])
        commands.verify_recovery_code(himself(user_a), user_id=user_a.pk, code=newer[1])
    for event in AuditEvent.objects.filter(realm_id=realm_a.pk):
        assert codes[0] not in str(event.payload)


def test_recovery_codes_are_no_second_factor_and_go_with_the_last_one(realm_a, user_a):
    with realm_scope(realm_a):
        factor = with_app(user_a)
        commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        user_a.refresh_from_db()
        assert queries.factors_of(user_a.pk) == []
        assert not queries.has_second_factor(user_a)


# --- passkeys ---


def test_a_passkey_signs_in_alone_and_its_challenge_serves_once(realm_a, user_a, key):
    change(realm_a, passkey_sign_in=True)
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
        options, state = passkeys.request_options(realm_a, None, verified=True)
        assert not options.get("allowCredentials")
        answer = key.get(options)
        found, assertion = commands.verify_sign_in_passkey(himself(user_a), state=state, credential=answer)
        assert found == user_a
        assert assertion.amr == ("hwk", "user")
        with pytest.raises(WrongCode):
            commands.verify_sign_in_passkey(himself(user_a), state=state, credential=answer)


def test_a_passkey_of_one_realm_is_nobody_in_the_other(realm_a, realm_b, user_a, user_b, key):
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
    with realm_scope(realm_b):
        options, state = passkeys.request_options(realm_b, None, verified=True)
        with pytest.raises(WrongCode):
            commands.verify_sign_in_passkey(himself(user_b), state=state, credential=key.get(options))
        key.user_handle = user_b.pk.bytes
        options, state = passkeys.request_options(realm_b, None, verified=True)
        with pytest.raises(WrongCode):
            commands.verify_sign_in_passkey(himself(user_b), state=state, credential=key.get(options))


def test_without_pin_or_finger_a_key_is_a_second_step_and_no_sign_in(realm_a, user_a, key):
    key.flags = 1
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
        options, state = passkeys.request_options(realm_a, None, verified=True)
        with pytest.raises(WrongCode):
            commands.verify_sign_in_passkey(himself(user_a), state=state, credential=key.get(options))
        # Nor with a challenge that was asked for a second step, which wants no verification.
        options, state = passkeys.request_options(realm_a, None, verified=False)
        with pytest.raises(WrongCode):
            commands.verify_sign_in_passkey(himself(user_a), state=state, credential=key.get(options))
        options, state = passkeys.request_options(realm_a, None, verified=False)
        found = commands.verify_passkey(himself(user_a), user_id=user_a.pk, state=state, credential=key.get(options))
        assert found.amr == ("hwk",)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://testserver:8443", "http://sub.testserver"])
def test_a_passkey_answer_from_another_origin_is_refused(realm_a, user_a, key, origin):
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
        options, state = passkeys.request_options(realm_a, None, verified=True)
        key.origin = origin
        with pytest.raises(WrongCode):
            commands.verify_sign_in_passkey(himself(user_a), state=state, credential=key.get(options))


def test_a_signature_counter_that_goes_back_is_refused_and_said(realm_a, user_a, key):
    with realm_scope(realm_a):
        add_key(realm_a, user_a, key)
        for counter, right in ((10, True), (4, False), (11, True)):
            key.counter = counter - 1
            options, state = passkeys.request_options(realm_a, None, verified=False)
            answer = key.get(options)
            if right:
                commands.verify_passkey(himself(user_a), user_id=user_a.pk, state=state, credential=answer)
            else:
                with pytest.raises(WrongCode):
                    commands.verify_passkey(himself(user_a), user_id=user_a.pk, state=state, credential=answer)
    assert [e.payload["reason"] for e in said(realm_a, "factor.refused")] == ["counter_rollback"]


def test_a_passkey_is_named_renamed_and_not_added_twice(realm_a, user_a, key):
    with realm_scope(realm_a):
        factor = add_key(realm_a, user_a, key, name="Laptop")
        with pytest.raises(WrongCode):
            add_key(realm_a, user_a, key)
        renamed = commands.rename_factor(himself(user_a), user_id=user_a.pk, factor_id=factor.id, name="Work laptop")
        assert renamed.name == "Work laptop"
        with pytest.raises(NotFound):
            commands.rename_factor(himself(user_a), user_id=user_a.pk, factor_id="a999", name="x")


def test_se_02_a_signed_challenge_of_a_page_is_of_its_realm_and_ends(realm_a, realm_b):
    _, state = passkeys.request_options(realm_a, None, verified=True)
    token = passkeys.signed_state(realm_a, state)
    assert passkeys.read_signed_state(realm_a, token)["challenge"] == state["challenge"]
    for realm, text in ((realm_b, token), (realm_a, token + "x"), (realm_a, "")):
        with pytest.raises(WrongCode):
            passkeys.read_signed_state(realm, text)


# --- numbers and addresses ---


def sent_code(monkeypatch):
    """Codes as they would arrive."""
    codes = []
    from identity.mfa.commands import messages

    monkeypatch.setattr(messages, "send_factor_code", lambda *a, **values: codes.append(values["code"]))
    return codes


@pytest.fixture
def codes(monkeypatch):
    return sent_code(monkeypatch)


def with_number(user, codes, to="+4915112345642", kind="sms"):
    device = commands.add_message_device(himself(user), user_id=user.pk, kind=kind, to=to)
    return commands.confirm_message_device(himself(user), user_id=user.pk, device_id=device.pk, code=codes[-1])


def test_a_number_becomes_a_factor_once_its_code_came_back(realm_a, user_a, codes):
    with realm_scope(realm_a):
        device = commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="sms", to="+49 151 12345642")
        assert queries.factors_of(user_a.pk) == []
        stored = MessageDevice.objects.get(pk=device.pk)
        assert stored.token is None
        assert codes[0].encode() not in bytes(stored.token_hash)
        assert b"4915112345642" not in bytes(stored.to_sealed)
        with pytest.raises(WrongCode):
            commands.confirm_message_device(himself(user_a), user_id=user_a.pk, device_id=device.pk, code="000")
        with clock.clock_at(clock.now() + timedelta(seconds=2)):
            commands.confirm_message_device(himself(user_a), user_id=user_a.pk, device_id=device.pk, code=codes[0])
        factor = queries.factors_of(user_a.pk)[0]
        assert (factor.kind, factor.hint) == ("sms", "42")
        with pytest.raises(Invalid):
            commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="sms", to="+4915112345642")


def test_lg_14_a_number_is_taken_as_it_is_dialed_in_the_realms_country(realm_a, user_a, codes):
    with realm_scope(realm_a), pytest.raises(Invalid):
        commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="sms", to="0151 12345642")
    change(realm_a, default_country="DE")
    with realm_scope(realm_a):
        with_number(user_a, codes, to="0151 12345642")
        with pytest.raises(Invalid):
            commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="sms", to="+4915112345642")


def test_a_sent_code_works_once_in_time_and_not_too_soon_again(realm_a, user_a, codes):
    with realm_scope(realm_a):
        factor = with_number(user_a, codes)
        commands.send_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        with pytest.raises(RateLimited) as refused:
            commands.send_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        assert 0 < refused.value.retry_after <= 45
        commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code=codes[-1])
        with pytest.raises(WrongCode):
            commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code=codes[-1])
    with realm_scope(realm_a), clock.clock_at(clock.now() + timedelta(minutes=20)):
        commands.send_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        moment = clock.now()
        with clock.clock_at(moment + timedelta(minutes=6)), pytest.raises(WrongCode):
            commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code=codes[-1])


def test_wrong_codes_make_the_device_wait_but_never_longer_than_half_a_minute(realm_a, user_a, codes):
    with realm_scope(realm_a):
        factor = with_number(user_a, codes)
        MessageDevice.objects.update(throttling_failure_count=20, throttling_failure_timestamp=clock.now())
        commands.send_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        with pytest.raises(RateLimited) as refused:
            commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code=codes[-1])
        assert refused.value.retry_after <= 31
        with clock.clock_at(clock.now() + timedelta(seconds=31)):
            commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code=codes[-1])


def test_a_code_dies_after_five_wrong_ones(realm_a, user_a, codes):
    with realm_scope(realm_a):
        factor = with_number(user_a, codes)
        commands.send_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        moment = clock.now()
        for n in range(5):
            with clock.clock_at(moment + timedelta(seconds=31 * (n + 1))), pytest.raises(WrongCode):
                commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code="1")
        with clock.clock_at(moment + timedelta(seconds=31 * 6)), pytest.raises(WrongCode):
            commands.verify_message_code(himself(user_a), user_id=user_a.pk, factor_id=factor.id, code=codes[-1])


def test_the_message_leaves_through_courier_by_its_channel(realm_a, user_a):
    with realm_scope(realm_a):
        commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="sms", to="+4915112345642")
        commands.add_message_device(himself(user_a), user_id=user_a.pk, kind="email", to="spare@example.com")
        assert sorted(Message.objects.values_list("channel", flat=True)) == ["email", "sms"]


# --- order, guards, reset ---


def test_factors_come_by_strength_then_the_one_used_last(realm_a, user_a, key, codes):
    with realm_scope(realm_a):
        with_number(user_a, codes, "dana.two@example.com", "email")
        with_number(user_a, codes)
        with_app(user_a)
        add_key(realm_a, user_a, key)
        commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        assert [f.kind for f in queries.factors_of(user_a.pk)] == ["passkey", "totp", "sms", "email", "recovery_codes"]


def test_the_last_factor_stays_where_the_realm_demands_one(realm_a, user_a, key):
    with realm_scope(realm_a):
        app = with_app(user_a)
    change(realm_a, second_factor="required")
    with realm_scope(realm_a):
        with pytest.raises(LastFactor):
            commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=app.id)
        add_key(realm_a, user_a, key)
        commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=app.id)


def test_the_last_owner_keeps_what_his_role_asks_for(realm_a, owner_a):
    with realm_scope(realm_a):
        app = with_app(owner_a)
        role = Role.objects.get(name="Owner", kind="console")
        set_role_requirements(system_actor(realm_a.pk), role_id=role.pk, requirements=["second_factor"])
        with pytest.raises(LastFactor):
            commands.remove_factor(himself(owner_a), user_id=owner_a.pk, factor_id=app.id)
    second = make_user(realm_a, "second@example.com", role="Owner")
    with realm_scope(realm_a):
        with_app(second)
        commands.remove_factor(himself(owner_a), user_id=owner_a.pk, factor_id=app.id)


def test_a_new_password_ends_the_trust_of_browsers(realm_a, user_a, as_owner_a):
    change(realm_a, trusted_device_lifetime=3600)
    with realm_scope(realm_a):
        with_app(user_a)
        commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="d")
        assert is_trusted(realm_a, user_a, "d")
        set_password(as_owner_a, user_id=user_a.pk, password="another horse battery")
        assert not is_trusted(realm_a, user_a, "d")


@pytest.mark.parametrize("kind", ["totp", "passkey", "sms", "email", "recovery_codes"])
def test_the_mails_say_what_changed_and_hold_no_secret(realm_a, kind):
    with realm_scope(realm_a):
        for template, values in (
            ("factor_added", {"kind": kind, "factor_name": "Blue <b>key</b>"}),
            ("factor_removed", {"kind": kind, "factor_name": ""}),
            ("factors_reset", {}),
            ("recovery_codes_made", {}),
            ("second_factor_code", {"code": "123456", "minutes": 5, "host": "id.example"}),
        ):
            context = {"name": "Dana", "email": "dana@example.com", "reset_url": "https://id.example/reset", **values}
            found = render(realm_a, "email", template, context, "en")
            assert found.subject
            assert "<b>key" not in found.html
            assert "Realm A" in found.text + found.subject
        text = render(realm_a, "sms", "second_factor_code", {"code": "123456", "minutes": 5, "host": "h"}, "en").text
        assert text.startswith("123456 is your Realm A code")


def test_where_nobody_has_a_password_no_mail_tells_to_choose_one(realm_a, user_a):
    change(realm_a, password_sign_in=False, email_code_sign_in=True)
    with realm_scope(realm_a):
        back = way_back(realm_a)
        for template, values in (
            ("factor_added", {"kind": "totp", "factor_name": ""}),
            ("factor_removed", {"kind": "totp", "factor_name": ""}),
            ("factors_reset", {}),
            ("recovery_codes_made", {}),
            ("identity_linked", {"provider": "Corp"}),
            ("identity_unlinked", {"provider": "Corp"}),
            ("email_change_requested", {"new_email": "new@example.com"}),
            ("account_already_exists", {}),
        ):
            found = render(realm_a, "email", template, {"name": "", "email": user_a.email, **back, **values}, "en")
            for body in (found.text, found.html):
                assert "password" not in body.replace("never asks for passwords", ""), template
                assert "/realms/a/account/security" in body, template


def test_the_last_way_in_stays(realm_a, user_a, key):
    change(realm_a, passkey_sign_in=True)
    with realm_scope(realm_a):
        factor = add_key(realm_a, user_a, key)
        user_a.set_unusable_password()
        user_a.save(update_fields=["password"])
        with pytest.raises(LastFactor):
            commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=factor.id)


def test_a_provider_that_lets_nobody_in_and_a_name_that_is_not_taken_are_no_ways_in(realm_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        provider = create_provider(
            as_owner_a, alias="hub", name="Hub", kind="github", client_id="c", secret="s" * 20, sign_up="link"
        )
        SocialAccount.objects.create(user=user_a, provider=provider_key(provider), uid="u-1")
        assert queries.ways_in(realm_a, user_a) == ["password", "provider"]
        disable_provider(as_owner_a, provider_id=provider.pk)
        assert queries.ways_in(realm_a, user_a) == ["password"]
        user_a.email, user_a.phone = None, "+493012345678"
        assert queries.ways_in(realm_a, user_a) == []
    change(realm_a, phone_sign_in=True)
    with realm_scope(realm_a):
        assert queries.ways_in(realm_a, user_a) == ["password"]


def test_lg_20_removing_a_factor_lowers_the_sessions_that_it_confirmed_at_once(realm_a, user_a):
    client = RealmClient(realm_a).sign_in(user_a)
    with realm_scope(realm_a):
        factor = with_app(user_a)
        session = Session.objects.get(user=user_a)
        session.data = {**session.data, "otp_device_id": factor.device}
        session.amr, session.acr = ["pwd", "otp", "mfa"], ACR_TWO
        session.save()
        commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        session.refresh_from_db()
        assert (session.amr, session.acr) == (["pwd"], ACR_ONE)
    assert client.get("/account/security").status_code == 200


def test_nobody_removes_anothers_factor(realm_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        factor = with_app(user_a)
        with pytest.raises(NotFound):
            commands.remove_factor(as_owner_a, user_id=user_a.pk, factor_id=factor.id)


def test_an_admin_resets_and_the_person_is_told(realm_a, user_a, as_owner_a, key):
    RealmClient(realm_a).sign_in(user_a)
    with realm_scope(realm_a):
        with_app(user_a)
        add_key(realm_a, user_a, key)
        commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="x")
        kinds = commands.reset_factors(as_owner_a, user_id=user_a.pk, reason="Lost the phone")
        assert kinds == ["passkey", "totp"]
        user_a.refresh_from_db()
        assert queries.factors_of(user_a.pk) == []
        assert not queries.has_second_factor(user_a)
        assert not Session.objects.filter(user=user_a, status="active").exists()
        assert Message.objects.filter(template="factors_reset").count() == 1
        with pytest.raises(Conflict):
            commands.reset_factors(as_owner_a, user_id=user_a.pk)
    event = said(realm_a, "factor.reset")[0]
    assert event.payload["kinds"] == ["passkey", "totp"]
    assert "Lost" not in str(event.payload)


def test_who_may_reset(realm_a, realm_b, owner_a, user_a, as_owner_a, as_owner_b, as_user_a):
    help_desk = actor_of(make_user(realm_a, "help@example.com", role="Help desk"))
    auditor = actor_of(make_user(realm_a, "audit@example.com", role="Auditor"))
    with realm_scope(realm_a):
        with_app(user_a)
        with_app(owner_a)
        for actor in (auditor, as_user_a):
            with pytest.raises((PermissionDenied, Conflict, NotFound)):
                commands.reset_factors(actor, user_id=user_a.pk)
        with pytest.raises(PermissionDenied):
            commands.reset_factors(help_desk, user_id=owner_a.pk)
        with pytest.raises(Conflict):
            commands.reset_factors(as_owner_a, user_id=owner_a.pk)
        assert len(queries.factors_of(user_a.pk)) == 1
        commands.reset_factors(help_desk, user_id=user_a.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        commands.reset_factors(as_owner_b, user_id=owner_a.pk)


def test_a_trusted_browser_is_seen_ends_and_is_forgotten_with_a_change_of_factors(realm_a, user_a, key):
    with realm_scope(realm_a):
        with_app(user_a)
        assert commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="d") is None
    change(realm_a, trusted_device_lifetime=3600)
    with realm_scope(realm_a):
        commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="d", label="Firefox")
        assert is_trusted(realm_a, user_a, "d")
        assert not is_trusted(realm_a, user_a, "e")
        assert [d.label for d in queries.trusted_devices(himself(user_a))] == ["Firefox"]
        with clock.clock_at(clock.now() + timedelta(seconds=3601)):
            assert not is_trusted(realm_a, user_a, "d")
        add_key(realm_a, user_a, key)
        assert not is_trusted(realm_a, user_a, "d")
        assert Device.objects.get().trusted_until is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_lg_16_lg_17_of_two_who_use_one_code_at_once_one_succeeds(on_postgresql, realm_a, user_a, kind):
    with realm_scope(realm_a):
        with_app(user_a)
        code = commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)[0]
        if kind == "totp":
            code = code_at(SECRET, clock.now())
    check = commands.verify_totp if kind == "totp" else commands.verify_recovery_code
    barrier, results = threading.Barrier(4), []

    def use():
        try:
            with realm_scope(realm_a):
                barrier.wait()
                check(himself(user_a), user_id=user_a.pk, code=code)
                results.append("in")
        except WrongCode:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results) == ["in", "refused", "refused", "refused"]
