"""The people that access writes about. It stands below accounts, so it knows them by the table's name alone."""

from typing import Any
from uuid import UUID

from django.apps import apps

from identity.kernel.errors import NotFound
from identity.kernel.transactions import for_write


def locked_person(user_id: UUID) -> Any:
    """The person, locked until the transaction ends. Raises NotFound.

    Whoever locks a person and the role Owner locks the person first: two orders would be a deadlock.
    """
    person = for_write(apps.get_model("identity", "User").objects.filter(pk=user_id)).first()
    if person is None:
        raise NotFound
    return person
