"""Keys per subject: made with the event that needs them, remembered only once they stand, gone when destroyed."""

import pytest
from django.db import transaction

from identity.audit import subjects
from identity.audit.models import AuditEvent, SubjectKey
from identity.audit.reading import readable
from identity.audit.record import columns_of, record
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.origin import Origin
from identity.realms.models import Realm
from identity.signin.events import SignInFailed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nobody(realm_a: Realm) -> Actor:
    # As if nothing had been told in the realm yet.
    SubjectKey.objects.filter(subject_id=realm_a.pk).delete()
    subjects._own_keys.clear()
    return anonymous_actor(realm_a.pk, origin=Origin("203.0.113.9", "guesser"))


def fail(actor: Actor) -> AuditEvent:
    with transaction.atomic():
        return record(actor, SignInFailed(reason="unknown_name", identifier="eve@example.com"))


def test_personal_data_is_sealed_inside_the_transaction_of_its_event(nobody: Actor):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        AuditEvent(**columns_of(nobody, SignInFailed(identifier="eve@example.com")))
    assert not SubjectKey.objects.filter(subject_id=nobody.realm_id).exists()
    # A hot path writes the row inside its own single statement, which is its own transaction.
    row = AuditEvent(**columns_of(nobody, SignInFailed(identifier="eve@example.com"), in_one_statement=True))
    assert readable([row])[0].personal["identifier"] == "eve@example.com"


def test_a_realms_own_key_is_remembered_once_it_stands(nobody: Actor, django_assert_num_queries):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        fail(nobody)
        1 / 0  # noqa: B018 - any fault will do
    assert nobody.realm_id not in subjects._own_keys
    assert not SubjectKey.objects.filter(subject_id=nobody.realm_id).exists()
    row = fail(nobody)
    assert nobody.realm_id in subjects._own_keys
    with transaction.atomic(), django_assert_num_queries(0):
        AuditEvent(**columns_of(nobody, SignInFailed(identifier="eve@example.com")))
    assert readable([row])[0].ip == "203.0.113.9"


def test_a_remembered_key_opens_nothing_once_it_is_destroyed(nobody: Actor):
    row = fail(nobody)
    assert subjects.destroy_key(nobody.realm_id, nobody.realm_id)
    assert readable([row, fail(nobody)])[0].personal == {}
    assert readable([fail(nobody)])[0].personal == {}


def test_the_memory_of_keys_is_bounded(nobody: Actor, monkeypatch):
    monkeypatch.setattr(subjects, "_MOST", 1)
    subjects._own_keys.clear()
    subjects._remember(nobody.realm_id, b"k")
    subjects._remember(Realm().pk, b"l")
    assert len(subjects._own_keys) == 1
