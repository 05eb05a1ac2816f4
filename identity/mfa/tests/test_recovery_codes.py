"""Recovery codes: shown once, used once, and gone with the last factor; of two at once one succeeds."""

import threading

import pytest
from django.db import connection

from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict
from identity.mfa import commands, queries
from identity.mfa.errors import WrongCode
from identity.mfa.models import AuthenticatorDevice
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import (
    SECRET,
    himself,
    with_app,
)

pytestmark = pytest.mark.django_db


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
