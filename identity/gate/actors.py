"""Builds the Actor of a request, a socket or a job from what is usable now."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

from identity.access import queries as access
from identity.access.models import OperatorVisit
from identity.accounts.models import User
from identity.gate.rules import permissions_of_visit
from identity.gate.usable import is_usable
from identity.kernel.actor import Actor, ActorKind, anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.kernel.origin import NOWHERE, Origin
from identity.realms.models import PLATFORM_SLUG, Realm
from identity.realms.queries import platform_realm
from identity.sessions.models import Session
from identity.sessions.store import SessionStore


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts in a console: the actor, his account, and the visit when he is an operator."""

    actor: Actor
    user: User | None = None
    session: Session | None = None
    visit: OperatorVisit | None = None


def actor_for_user(
    user: User, *, session: Session | None = None, origin: Origin = NOWHERE, request_id: str = ""
) -> Actor:
    """The actor of a person in his own realm, with what he holds now. The realm of the moment must be his."""
    permissions, object_permissions = access.permissions_of_user(user.pk)
    return Actor(
        kind=ActorKind.USER,
        realm_id=user.realm_id,
        id=user.pk,
        home_realm_id=user.realm_id,
        session_id=session.pk if session else None,
        permissions=permissions,
        object_permissions=object_permissions,
        origin=origin,
        request_id=request_id,
        name=user.display_name,
        email=user.email or "",
    )


def powerless_actor(
    user: User, *, session: Session | None = None, origin: Origin = NOWHERE, request_id: str = ""
) -> Actor:
    """A person as the protocol knows him: who he is, without asking what he may do in the console, which is nothing."""
    return Actor(
        kind=ActorKind.USER,
        realm_id=user.realm_id,
        id=user.pk,
        home_realm_id=user.realm_id,
        session_id=session.pk if session else None,
        origin=origin,
        request_id=request_id,
        name=user.display_name,
        email=user.email or "",
    )


def _signed_in(realm: Realm, cookies: Mapping[str, str]) -> tuple[User | None, Session | None]:
    """The usable person behind the realm's session cookie, and the session."""
    store = SessionStore(cookies.get(cookie_name("s", realm)), realm=realm)
    user_id = store.get(SESSION_KEY)
    if store.row is None or not user_id:
        return None, None
    with realm_scope(realm):
        user = User.objects.filter(pk=user_id).first()
    if user is None or not is_usable(realm, user=user, session=store.row):
        return None, None
    return user, store.row


def console_principal(
    realm: Realm, cookies: Mapping[str, str], *, origin: Origin = NOWHERE, request_id: str = ""
) -> Principal:
    """Who acts in this realm's console: an operator with an open visit, else the realm's own session.

    Only /console/ asks; no other page ever sees an operator. Fails closed: without either, nobody.
    """
    nobody = Principal(anonymous_actor(realm.pk, origin=origin, request_id=request_id))
    visiting = _visiting_operator(realm, cookies, origin, request_id)
    if visiting is not None:
        return visiting
    if not realm.is_active:
        return nobody
    user, session = _signed_in(realm, cookies)
    if user is None or session is None:
        return nobody
    with realm_scope(realm):
        actor = actor_for_user(user, session=session, origin=origin, request_id=request_id)
    return Principal(actor, user, session)


def _visiting_operator(realm: Realm, cookies: Mapping[str, str], origin: Origin, request_id: str) -> Principal | None:
    # The platform's row is only asked for where a browser has a cookie of that realm: nearly none has.
    if realm.is_platform or not any(name.endswith(f"rk_s_{PLATFORM_SLUG}") for name in cookies):
        return None
    platform = platform_realm()
    if platform is None or cookie_name("s", platform) not in cookies:
        return None
    operator, session = _signed_in(platform, cookies)
    if operator is None or session is None:
        return None
    visit = access.open_visit_of(realm, operator.pk, session.pk)
    if visit is None:
        return None
    actor = _operator_actor(realm, platform, operator, session, visit, origin, request_id)
    return Principal(actor, operator, session, visit)


def _operator_actor(
    realm: Realm,
    platform: Realm,
    operator: User,
    session: Session,
    visit: OperatorVisit,
    origin: Origin,
    request_id: str,
) -> Actor:
    """What he holds is asked now, in his own realm."""
    with realm_scope(platform):
        held, _ = access.permissions_of_user(operator.pk)
    return Actor(
        kind=ActorKind.OPERATOR,
        realm_id=realm.pk,
        id=operator.pk,
        home_realm_id=platform.pk,
        session_id=session.pk,
        visit_id=visit.pk,
        permissions=permissions_of_visit(held),
        origin=origin,
        request_id=request_id,
        name=operator.display_name,
        email=operator.email or "",
    )


def operator_again(
    realm: Realm, *, operator_id: UUID | None, session_id: UUID | None, visit_id: UUID | None, request_id: str
) -> Actor | None:
    """The operator of a job that he asked for in a visit; None when the visit, his session or he himself has ended."""
    platform = platform_realm()
    if platform is None or operator_id is None or session_id is None:
        return None
    with realm_scope(platform):
        operator = User.objects.filter(pk=operator_id).first()
        session = Session.objects.filter(pk=session_id).first()
        if operator is None or session is None or not is_usable(platform, user=operator, session=session):
            return None
    visit = access.open_visit_of(realm, operator_id, session_id)
    if visit is None or visit.pk != visit_id:
        return None
    return _operator_actor(realm, platform, operator, session, visit, NOWHERE, request_id)


def principal_is_usable(realm_id: UUID, principal: Principal) -> bool:
    """Whether an open socket's principal may go on: everything is read anew, by id (TI-13)."""
    realm = Realm.objects.filter(pk=realm_id).first()
    if realm is None or principal.user is None or principal.session is None:
        return False
    home = Realm.objects.filter(pk=principal.user.realm_id).first()
    if home is None:
        return False
    with realm_scope(home):
        user = User.objects.filter(pk=principal.user.pk).first()
        session = Session.objects.filter(pk=principal.session.pk).first()
        if user is None or session is None or not is_usable(home, user=user, session=session):
            return False
        held, on_objects = access.permissions_of_user(user.pk)
    if principal.visit is not None:
        visit = access.open_visit_of(realm, user.pk, session.pk)
        return visit is not None and visit.pk == principal.visit.pk
    return realm.is_active and held == principal.actor.permissions and on_objects == principal.actor.object_permissions


def actor_for_request(request: HttpRequest) -> Actor:
    """The actor that the middleware put on a request inside a realm."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
