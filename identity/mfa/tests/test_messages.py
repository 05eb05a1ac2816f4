"""Numbers and addresses as factors: proven first, a code once, and waits between."""

from datetime import timedelta

import pytest

from identity.courier.models import Message
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, RateLimited
from identity.mfa import commands, queries
from identity.mfa.errors import WrongCode
from identity.mfa.models import MessageDevice
from identity.mfa.tests.conftest import (
    change,
    himself,
    with_number,
)

pytestmark = pytest.mark.django_db


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
