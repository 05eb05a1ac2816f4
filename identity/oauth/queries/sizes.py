"""How big a realm is: what an operator reads before he suspends, enters or deletes it."""

from dataclasses import dataclass

from identity.accounts.models import User
from identity.applications.models import Application, ApplicationStatus
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.permissions import Permission
from identity.oauth.models import RefreshFamily
from identity.oauth.queries.issued import works
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.queries import live


@dataclass(frozen=True, slots=True)
class RealmSize:
    """Exact counts."""

    people: int
    applications: int
    sessions: int
    refresh_tokens: int


def size_of(actor: Actor, *, realm: Realm) -> RealmSize:
    """The counts of any realm, for an operator in `platform`; names need a visit. Raises PermissionDenied."""
    actor.require(Permission.REALMS_READ)
    with realm_scope(realm):
        return RealmSize(
            people=User.objects.count(),
            applications=Application.objects.exclude(status=ApplicationStatus.DELETED).count(),
            sessions=live(Session.objects.exclude(user=None), realm).count(),
            refresh_tokens=RefreshFamily.objects.filter(works(realm)).count(),
        )
