"""The worker's question has an index as small as the queue, on both databases."""

import pytest
from django.db import connection, transaction

from identity.courier.commands import deliver_due, queue_message
from identity.courier.commands.delivery import _due
from identity.courier.models import Message, MessageStatus
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def queued(realm: Realm) -> Message:
    with realm_scope(realm), transaction.atomic():
        return queue_message(realm, to="dana@example.com", template="password_changed", context={})


def test_what_is_due_is_read_from_the_index_of_the_queue(realm_a: Realm, realm_b: Realm) -> None:
    old = queued(realm_a)
    with realm_scope(realm_a):
        Message.objects.filter(pk=old.pk).update(status=MessageStatus.SENT)
    new = [queued(realm_a), queued(realm_b)]
    due = _due(clock.now())
    assert [message.pk for message in due] == [message.pk for message in new]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table of three rows is read as a whole, and sorted, by any planner.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    assert "message_queued" in _due(clock.now())[:100].explain()


def test_a_queue_that_was_worked_off_asks_for_nothing_more(realm_a: Realm) -> None:
    queued(realm_a)
    deliver_due()
    assert not _due(clock.now()).exists()
