"""What a person is called, and in which language and time zone pages speak."""

from typing import Any
from uuid import UUID

from django.db import transaction

from identity.accounts import events
from identity.accounts.commands.creation import profile_fields
from identity.accounts.commands.fetching import user_for_or_self
from identity.accounts.models import User
from identity.audit.record import record
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid
from identity.kernel.permissions import Permission

PROFILE = ("name", "given_name", "family_name", "language", "time_zone")


@transaction.atomic
def change_profile(actor: Actor, *, user_id: UUID, **fields: Any) -> User:
    """Change names, language or time zone of a person, or of oneself.

    Only these: a form that sends `email_verified`, `status` or `realm` changes nothing (LG-10).
    Raises NotFound, PermissionDenied, Invalid. Says user.profile_changed; an unchanged value is no change.
    """
    for name in fields:
        if name not in PROFILE:
            raise Invalid(field=name, code="no_such_field")
    user = user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    wanted = profile_fields(**{name: fields.get(name, getattr(user, name)) for name in PROFILE})
    changed = tuple(name for name in PROFILE if getattr(user, name) != wanted[name])
    if not changed:
        return user
    for name in changed:
        setattr(user, name, wanted[name])
    user.save(update_fields=changed)
    record(
        actor,
        events.UserProfileChanged(target_id=user.pk, subject_id=user.pk, target_name=user.display_name, fields=changed),
    )
    return user
