"""One effect for one request."""

import pytest

from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict
from identity.kernel.idempotency import once
from identity.realms.models import Realm


def test_f_14_a_repeated_request_has_one_effect_and_the_same_answer(realm_a: Realm) -> None:
    done: list[int] = []

    def act() -> dict[str, object]:
        done.append(1)
        return {"number": len(done)}

    with realm_scope(realm_a):
        assert once("key", b"request", act) == {"number": 1}
        assert once("key", b"request", act) == {"number": 1}
    assert len(done) == 1


def test_the_same_key_for_another_request_is_a_conflict(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        once("key", b"request", dict)
        with pytest.raises(Conflict) as refused:
            once("key", b"another", dict)
    assert refused.value.reason == "idempotency_key_reused"


def test_an_act_that_fails_leaves_the_key_free(realm_a: Realm) -> None:
    def fail() -> dict[str, object]:
        raise Conflict

    with realm_scope(realm_a):
        with pytest.raises(Conflict):
            once("key", b"request", fail)
        assert once("key", b"request", lambda: {"ok": True}) == {"ok": True}


def test_a_key_of_one_realm_is_free_in_another(realm_a: Realm, realm_b: Realm) -> None:
    with realm_scope(realm_a):
        once("key", b"request", lambda: {"realm": "a"})
    with realm_scope(realm_b):
        assert once("key", b"request", lambda: {"realm": "b"}) == {"realm": "b"}
