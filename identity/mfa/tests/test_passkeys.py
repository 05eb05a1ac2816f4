"""Passkeys and security keys: of one realm and one place, and a challenge serves once."""

import pytest

from identity.kernel.context import realm_scope
from identity.kernel.errors import NotFound
from identity.mfa import commands, passkeys
from identity.mfa.errors import WrongCode
from identity.mfa.tests.conftest import add_key, change, himself, said

pytestmark = pytest.mark.django_db


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
