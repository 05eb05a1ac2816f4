"""Whether open sockets may go on: asked for all of them together, with a few queries for each home realm (TI-13)."""

from collections.abc import Iterable, Sequence
from enum import Enum
from uuid import UUID

from identity.access import queries as access
from identity.access.models import OperatorVisit
from identity.gate.actors import Principal
from identity.gate.rules import permissions_of_visit
from identity.gate.usable import is_usable
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.sessions.models import Session


class Standing(Enum):
    """What became of a socket's authority since it opened."""

    KEPT = "kept"
    CHANGED = "changed"
    ENDED = "ended"


def standings(asked: Sequence[tuple[UUID, Principal]]) -> list[Standing]:
    """For each (realm that the socket is in, its principal), in order. Reads everything anew.

    CHANGED: still allowed into the console, but with other permissions; the page connects again and gets those.
    """
    homes = {principal.user.realm_id for _, principal in asked if principal.user is not None}
    realms = Realm.objects.in_bulk({realm_id for realm_id, _ in asked} | homes)
    held: dict[UUID, access.Held] = {}
    sessions: dict[UUID, Session] = {}
    visits: set[UUID] = set()
    for home_id in homes & realms.keys():
        of_home = [p for _, p in asked if p.user is not None and p.user.realm_id == home_id]
        with realm_scope(realms[home_id]):
            found = Session.objects.select_related("user").filter(pk__in={p.session.pk for p in of_home if p.session})
            sessions |= {session.pk: session for session in found}
            held |= access.permissions_of_users({p.user.pk for p in of_home if p.user})
    for realm_id in {realm_id for realm_id, p in asked if p.visit is not None} & realms.keys():
        wanted = {p.visit.pk for at, p in asked if at == realm_id and p.visit is not None}
        visits |= _open_visits(realms[realm_id], wanted)
    return [_standing(realms, realm_id, p, sessions, held, visits) for realm_id, p in asked]


def _open_visits(realm: Realm, ids: Iterable[UUID]) -> set[UUID]:
    with realm_scope(realm):
        rows = OperatorVisit.objects.filter(pk__in=list(ids), ended_at=None, ends_at__gt=clock.now())
        return set(rows.values_list("pk", flat=True))


def _standing(
    realms: dict[UUID, Realm],
    realm_id: UUID,
    principal: Principal,
    sessions: dict[UUID, Session],
    held: dict[UUID, access.Held],
    visits: set[UUID],
) -> Standing:
    realm = realms.get(realm_id)
    if realm is None or principal.user is None or principal.session is None:
        return Standing.ENDED
    home = realms.get(principal.user.realm_id)
    session = sessions.get(principal.session.pk)
    if home is None or session is None or session.user is None:
        return Standing.ENDED
    if session.user_id != principal.user.pk or not is_usable(home, user=session.user, session=session):
        return Standing.ENDED
    permissions, on_objects = held[principal.user.pk]
    if principal.visit is not None:
        if principal.visit.pk not in visits:
            return Standing.ENDED
        permissions, on_objects = permissions_of_visit(permissions), frozenset()
    elif not realm.is_active:
        return Standing.ENDED
    if Permission.CONSOLE_OPEN not in permissions:
        return Standing.ENDED
    actor = principal.actor
    same = permissions == actor.permissions and on_objects == actor.object_permissions
    return Standing.KEPT if same else Standing.CHANGED
