"""What ends with access: a person's sessions and refresh families, each session with its event."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps

from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import User
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.events import registry
from identity.kernel.transactions import for_write

MOST_TOLD = 100
"""So many sessions have an event each; the others are told by one that counts them, so that no command writes without
bound."""


def end_what_was_issued(actor: Actor, *, user: User, reason: str, except_session_id: UUID | None = None) -> int:
    """End the person's sessions and revoke the refresh families. Returns how many sessions ended.

    Rows of rooms above, so by the tables' names: that a person's sessions are over has to be true when the command
    returns. Validity is asked through `gate` as well, so what this would miss is refused all the same (DECISIONS 17).
    Those that had run out by themselves are closed with them, and neither counted nor told: nobody lost anything.
    Says session.ended for each of the newest hundred, and sessions.ended for the others.
    """
    now = clock.now()
    ending: dict[str, Any] = {"status_changed_at": now, "status_by": actor.id, "end_reason": reason}
    sessions = apps.get_model("identity", "Session").objects.filter(user_id=user.pk, status="active")
    families = apps.get_model("identity", "RefreshFamily").objects.filter(user_id=user.pk, status="active")
    if except_session_id is not None:
        sessions = sessions.exclude(pk=except_session_id)
        families = families.exclude(session_id=except_session_id)
    families.update(status="revoked", **ending)
    idle = timedelta(seconds=realm_of(actor).setting("session_idle_lifetime"))
    usable = sessions.filter(expires_at__gt=now, last_seen_at__gt=now - idle)
    told = list(for_write(usable).order_by("-pk").values_list("pk", "ip")[:MOST_TOLD])
    ended: int = usable.count()
    sessions.update(status="ended", data={}, **ending)
    for session_id, ip in reversed(told):
        _say(actor, user, "session.ended", target_id=session_id, reason=reason, ip=ip or "")
    if ended > len(told):
        _say(actor, user, "sessions.ended", target_id=user.pk, reason=reason, count=ended - len(told))
    return ended


def _say(actor: Actor, user: User, event_type: str, **fields: Any) -> None:
    """An event of the sessions room, by its name as its tables are."""
    event: Any = registry[event_type]
    record(actor, event(subject_id=user.pk, target_name=user.display_name, user_id=user.pk, **fields))
