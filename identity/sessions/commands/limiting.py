"""How many sessions one person may have at the same moment, whoever signs in at the same moment (SE-10)."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.accounts.models import User
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict
from identity.kernel.transactions import for_write
from identity.realms.models import Realm
from identity.sessions.commands.ending import end_these
from identity.sessions.models import Session
from identity.sessions.queries import live

TOO_MANY = "too_many_sessions"


def make_room(actor: Actor, *, realm: Realm, user_id: UUID, present_id: UUID | None = None) -> int:
    """Before a session begins, in its transaction: end the oldest ones beyond the realm's limit, or refuse.

    The person's row is locked until that transaction ends, so of many sign-ins at once each sees the sessions of those
    before it: never more than the limit. Offline access outlives this, as it does signing out: nobody took anything
    back. present_id: the session of this browser, which goes on. Returns how many ended. Raises Conflict
    (too_many_sessions). Says session.ended. Does nothing where there is no limit.
    """
    most = int(realm.setting("session_limit"))
    if not most:
        return 0
    list(for_write(User.objects.filter(pk=user_id)).values_list("pk"))
    rows = live(Session.objects.filter(user_id=user_id), realm)
    if present_id is not None:
        rows = rows.exclude(pk=present_id)
    others = list(rows.order_by("created_at", "pk"))
    beyond = others[: max(0, len(others) + 1 - most)]
    if beyond and realm.setting("session_limit_action") == "refuse":
        raise Conflict(_("You are signed in in as many places as you can be at a time."), code=TOO_MANY)
    end_these(actor, beyond, "session_limit", offline_too=False)
    return len(beyond)
