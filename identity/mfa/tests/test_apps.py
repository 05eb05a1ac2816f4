"""Authenticator apps: added, used once, replaced; in two realms with the same people."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.courier.models import Message
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.crypto import SealBroken
from identity.kernel.errors import Conflict, NotFound, RateLimited
from identity.mfa import commands, passkeys, queries
from identity.mfa.errors import WrongCode
from identity.mfa.models import AuthenticatorDevice
from identity.mfa.sealing import open_secret
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import (
    SECRET,
    add_key,
    change,
    himself,
    said,
    with_app,
)

pytestmark = pytest.mark.django_db


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
