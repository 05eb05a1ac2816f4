"""Sessions: searched by person, address and application; ended with what they issued, at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from conftest import actor_of, make_user
from identity.access.commands import add_member, create_organization, grant_object
from identity.accounts.commands import disable_user, lock_user
from identity.accounts.commands.ending import MOST_TOLD
from identity.accounts.models import User
from identity.applications.models import Application
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.kernel.ids import public_id, uuid7
from identity.kernel.permissions import Permission
from identity.oauth.models import RefreshFamily
from identity.realms.models import Realm
from identity.sessions.commands import (
    end_session,
    end_sessions,
    end_sessions_of_application,
    end_sessions_of_user,
    note_application_use,
    sign_out,
)
from identity.sessions.models import Session
from identity.sessions.queries import applications_of, find_sessions, get_session, own_sessions
from identity.sessions.rules import ACR_ONE, ACR_TWO, acr_of, amr_of
from identity.sessions.testing import RealmClient

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def opened(realm: Realm, user: User, ip: str = "192.0.2.7") -> tuple[RealmClient, Session]:
    client = RealmClient(realm, REMOTE_ADDR=ip)
    client.sign_in(user)
    with realm_scope(realm):
        session = Session.objects.filter(user=user).latest("id")
        Session.objects.filter(pk=session.pk).update(ip=ip)
        session.refresh_from_db()
    return client, session


def family_of(realm: Realm, session: Session, application: Application, *, offline: bool = True) -> RefreshFamily:
    with realm_scope(realm):
        family = RefreshFamily(
            user_id=session.user_id, application=application, session=session, offline=offline,
            created_at=clock.now(), expires_at=clock.now() + timedelta(days=1),
        )  # fmt: skip
        family.save()
    return family


def said(realm: Realm, type_: str = "session.ended") -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


def test_se_05_an_ended_session_is_nobody_at_the_next_request(
    realm_a: Realm, user_a: User, as_owner_a: Actor, app_a: tuple[Application, str]
) -> None:
    client, session = opened(realm_a, user_a)
    family = family_of(realm_a, session, app_a[0])
    assert client.get("/account/").status_code == 200
    with realm_scope(realm_a):
        ended = end_session(as_owner_a, session_id=session.pk)
        family.refresh_from_db()
    assert client.get("/account/").status_code == 302
    assert (ended.status, ended.end_reason, family.status) == ("ended", "ended_by_admin", "revoked")
    (event,) = said(realm_a)
    assert (event.actor_id, event.target_id) == (as_owner_a.id, session.pk)
    assert event.payload == {"user_id": str(user_a.pk), "reason": "ended_by_admin"}


def test_ti_02_a_session_of_another_realm_is_not_there(
    realm_a: Realm, as_owner_a: Actor, realm_b: Realm, user_b: User
) -> None:
    client, session = opened(realm_b, user_b)
    with realm_scope(realm_a):
        for act in (end_session, get_session):
            with pytest.raises(NotFound):
                act(as_owner_a, session_id=session.pk)
        with pytest.raises(NotFound):
            end_sessions(as_owner_a, session_ids=[session.pk])
        assert end_sessions_of_user(as_owner_a, user_id=user_b.pk) == 0
        assert list(find_sessions(as_owner_a, user_id=user_b.pk)) == []
    assert client.get("/account/").status_code == 200


def test_who_lacks_the_permission_ends_and_sees_only_the_own(realm_a: Realm, owner_a: User, user_a: User) -> None:
    _, owners = opened(realm_a, owner_a)
    _, own = opened(realm_a, user_a)
    dana = actor_of(user_a)
    with realm_scope(realm_a):
        for act in (end_session, get_session):
            with pytest.raises((PermissionDenied, NotFound)):
                act(dana, session_id=owners.pk)
        with pytest.raises(PermissionDenied):
            find_sessions(dana)
        with pytest.raises(PermissionDenied):
            end_sessions_of_user(dana, user_id=owner_a.pk)
        assert list(own_sessions(dana)) == [own]
        assert end_session(dana, session_id=own.pk, reason="ended_by_person").status == "ended"
        assert list(own_sessions(dana)) == []


def test_an_auditor_sees_sessions_and_ends_none(realm_a: Realm, user_a: User) -> None:
    _, session = opened(realm_a, user_a)
    auditor = actor_of(make_user(realm_a, "auditor@example.com", role="Auditor"))
    with realm_scope(realm_a):
        assert get_session(auditor, session_id=session.pk) == session
        with pytest.raises(PermissionDenied):
            end_session(auditor, session_id=session.pk)
        with pytest.raises(PermissionDenied):
            end_sessions_of_user(auditor, user_id=user_a.pk)


def test_a_help_desk_of_one_organization_ends_its_peoples_sessions_alone(
    realm_a: Realm, user_a: User, owner_a: User, as_owner_a: Actor
) -> None:
    _, inside = opened(realm_a, user_a)
    _, outside = opened(realm_a, owner_a)
    helper = make_user(realm_a, "helper@example.com")
    with realm_scope(realm_a):
        org = create_organization(as_owner_a, slug="north", name="North")
        add_member(as_owner_a, organization_id=org.pk, user_id=user_a.pk)
        for permission in (Permission.SESSIONS_READ, Permission.SESSIONS_END):
            grant_object(as_owner_a, user_id=helper.pk, permission=permission, kind="organization", object_id=org.pk)
    desk = actor_of(helper)
    with realm_scope(realm_a):
        assert list(find_sessions(desk)) == [inside]
        with pytest.raises(NotFound):
            end_session(desk, session_id=outside.pk)
        assert end_session(desk, session_id=inside.pk).status == "ended"


def test_all_sessions_of_a_person_but_the_present_one(
    realm_a: Realm, user_a: User, app_a: tuple[Application, str]
) -> None:
    here, kept = opened(realm_a, user_a)
    there, gone = opened(realm_a, user_a)
    families = [family_of(realm_a, kept, app_a[0]), family_of(realm_a, gone, app_a[0])]
    with realm_scope(realm_a):
        assert end_sessions_of_user(actor_of(user_a), user_id=user_a.pk, except_session_id=kept.pk) == 1
        for family in families:
            family.refresh_from_db()
    assert [family.status for family in families] == ["active", "revoked"]
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert said(realm_a)[0].payload["reason"] == "ended_by_person"


def test_all_sessions_of_an_application(
    realm_a: Realm, user_a: User, owner_a: User, as_owner_a: Actor, as_user_a: Actor, app_a: tuple[Application, str]
) -> None:
    _, used = opened(realm_a, user_a)
    other, unused = opened(realm_a, owner_a)
    family = family_of(realm_a, used, app_a[0])
    with realm_scope(realm_a):
        note_application_use(used, application=app_a[0])
        note_application_use(used, application=app_a[0])
        assert [row.application for row in applications_of([used.pk])[used.pk]] == [app_a[0]]
        assert list(find_sessions(as_owner_a, application_id=app_a[0].pk)) == [used]
        with pytest.raises(PermissionDenied):
            end_sessions_of_application(as_user_a, application_id=app_a[0].pk)
        assert end_sessions_of_application(as_owner_a, application_id=app_a[0].pk) == 1
        for row in (used, unused, family):
            row.refresh_from_db()
    assert (used.status, unused.status, family.status) == ("ended", "active", "revoked")
    assert other.get("/account/").status_code == 200
    assert said(realm_a, "application.sessions_ended")[0].payload["sessions"] == 1


def test_ti_04_a_selection_ends_as_a_whole_or_not_at_all(
    realm_a: Realm, user_a: User, as_owner_a: Actor, realm_b: Realm, user_b: User
) -> None:
    _, mine = opened(realm_a, user_a)
    _, foreign = opened(realm_b, user_b)
    with realm_scope(realm_a):
        with pytest.raises(NotFound):
            end_sessions(as_owner_a, session_ids=[mine.pk, foreign.pk])
        mine.refresh_from_db()
        assert mine.status == "active"
        assert end_sessions(as_owner_a, session_ids=[mine.pk]) == 1


def test_nobody_signs_somebody_else_out(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    _, session = opened(realm_a, user_a)
    with realm_scope(realm_a), pytest.raises(NotFound):
        sign_out(as_owner_a, session_id=session.pk)


def test_sessions_are_found_by_person_address_and_id(
    realm_a: Realm, user_a: User, owner_a: User, as_owner_a: Actor
) -> None:
    _, dana = opened(realm_a, user_a, "192.0.2.7")
    _, olivia = opened(realm_a, owner_a, "2001:db8:1:2::7")
    with realm_scope(realm_a):
        for query, found in (
            ({"search": "dana@"}, [dana]), ({"search": "OKAFOR"}, [dana]), ({"search": "192.0.2.7"}, [dana]),
            ({"search": public_id("session", olivia.pk)}, [olivia]), ({"ip": "192.0.2.0/24"}, [dana]),
            ({"ip": "2001:db8:1::/48"}, [olivia]), ({"ip": "198.51.100.0/24"}, []), ({"ip": "nonsense"}, []),
            ({"user_id": owner_a.pk}, [olivia]), ({}, [olivia, dana]),
        ):  # fmt: skip
            assert list(find_sessions(as_owner_a, **query)) == found, query


def test_a_session_that_ran_out_is_not_active_whatever_its_row_says(
    realm_a: Realm, user_a: User, as_owner_a: Actor
) -> None:
    _, session = opened(realm_a, user_a)
    with realm_scope(realm_a):
        for later in (timedelta(hours=13), timedelta(days=8)):
            with clock.clock_at(clock.now() + later):
                assert list(find_sessions(as_owner_a, user_id=user_a.pk)) == []
                assert list(find_sessions(as_owner_a, user_id=user_a.pk, status="ended")) == [session]
        assert list(find_sessions(as_owner_a, user_id=user_a.pk, status="")) == [session]


@pytest.mark.parametrize(
    ("methods", "amr", "acr"),
    [
        (["pwd"], ["pwd"], ACR_ONE),
        (["pwd", "pwd"], ["pwd"], ACR_ONE),
        (["pwd", "otp"], ["pwd", "otp", "mfa"], ACR_TWO),
        (["hwk", "user"], ["hwk", "user", "mfa"], ACR_TWO),
        ([], [], ACR_ONE),
    ],
)
def test_what_ways_of_signing_in_are_worth(methods: list[str], amr: list[str], acr: str) -> None:
    assert amr_of(methods) == amr
    assert acr_of(amr_of(methods)) == acr


def test_ac_02_a_help_desk_ends_no_session_of_an_owner(
    realm_a: Realm, owner_a: User, user_a: User, app_a: tuple[Application, str]
) -> None:
    """Nobody acts on a higher rank: neither on one session, nor on a selection, a person's or an application's."""
    _, owners = opened(realm_a, owner_a)
    _, danas = opened(realm_a, user_a)
    family = family_of(realm_a, owners, app_a[0])
    desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
    acts = (
        lambda: end_session(desk, session_id=owners.pk),
        lambda: end_sessions(desk, session_ids=[danas.pk, owners.pk]),
        lambda: end_sessions_of_user(desk, user_id=owner_a.pk),
        lambda: end_sessions_of_application(desk, application_id=app_a[0].pk),
    )
    with realm_scope(realm_a):
        for session in (owners, danas):
            note_application_use(session, application=app_a[0])
        for act in acts:
            with pytest.raises(PermissionDenied):
                act()
        for row in (owners, danas, family):
            row.refresh_from_db()
        assert (owners.status, danas.status, family.status) == ("active", "active", "active")
        assert said(realm_a) == []
        assert end_sessions_of_user(desk, user_id=user_a.pk) == 1
    assert len(said(realm_a)) == 1


def test_ac_02_an_application_whose_offline_access_an_owner_gave_is_above_a_help_desk(
    realm_a: Realm, owner_a: User, as_owner_a: Actor, app_a: tuple[Application, str]
) -> None:
    """The session is over, the family lives: revoking it would act on the owner all the same."""
    _, owners = opened(realm_a, owner_a)
    family = family_of(realm_a, owners, app_a[0])
    with realm_scope(realm_a):
        sign_out(as_owner_a, session_id=owners.pk)
        desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
        with pytest.raises(PermissionDenied):
            end_sessions_of_application(desk, application_id=app_a[0].pk)
        family.refresh_from_db()
        assert family.status == "active"
        assert end_sessions_of_application(as_owner_a, application_id=app_a[0].pk) == 0
        family.refresh_from_db()
    assert family.status == "revoked"


def test_everybody_of_equal_rank_is_within_reach(
    realm_a: Realm, user_a: User, as_owner_a: Actor, app_a: tuple[Application, str]
) -> None:
    _, other = opened(realm_a, make_user(realm_a, "second@example.com", role="Owner"))
    with realm_scope(realm_a):
        assert end_session(as_owner_a, session_id=other.pk).status == "ended"


def test_a_session_that_has_ended_is_not_ended_again(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    _, first = opened(realm_a, user_a)
    _, second = opened(realm_a, user_a)
    with realm_scope(realm_a):
        end_session(as_owner_a, session_id=first.pk)
        with pytest.raises(Conflict) as refusal:
            end_session(as_owner_a, session_id=first.pk)
        assert refusal.value.reason == "session_ended"
        # Of a selection it is left out, and the number says so.
        assert end_sessions(as_owner_a, session_ids=[first.pk, second.pk]) == 1
    assert len(said(realm_a)) == 2


def many(realm: Realm, user: User, count: int) -> None:
    now = clock.now()
    with realm_scope(realm):
        Session.objects.bulk_create(
            Session(
                realm_id=realm.pk, key_hash=uuid7().bytes, user=user, ip="192.0.2.7", created_at=now, last_seen_at=now,
                expires_at=now + timedelta(days=1),
            )
            for _ in range(count)
        )  # fmt: skip


@pytest.mark.parametrize("act", [disable_user, lock_user, end_sessions_of_user])
def test_each_session_has_its_event_and_a_flood_of_them_one_that_counts(
    realm_a: Realm, user_a: User, as_owner_a: Actor, act: Callable[..., object]
) -> None:
    many(realm_a, user_a, MOST_TOLD + 7)
    with realm_scope(realm_a):
        act(as_owner_a, user_id=user_a.pk)
        assert not Session.objects.filter(user=user_a, status="active").exists()
    each = said(realm_a)
    assert len({event.target_id for event in each}) == len(each) == MOST_TOLD
    assert {event.payload["user_id"] for event in each} == {str(user_a.pk)}
    (rest,) = said(realm_a, "sessions.ended")
    assert (rest.target_id, rest.payload["count"]) == (user_a.pk, 7)
    assert readable([rest])[0].sentence() == "Olivia Owner ended 7 more sessions of Dana Okafor"


def test_the_flood_of_an_application_is_bounded_too(
    realm_a: Realm, user_a: User, as_owner_a: Actor, app_a: tuple[Application, str]
) -> None:
    many(realm_a, user_a, MOST_TOLD + 1)
    with realm_scope(realm_a):
        for session in Session.objects.filter(user=user_a):
            note_application_use(session, application=app_a[0])
        assert end_sessions_of_application(as_owner_a, application_id=app_a[0].pk) == MOST_TOLD + 1
    assert len(said(realm_a)) == MOST_TOLD
    assert said(realm_a, "sessions.ended")[0].payload["count"] == 1


@pytest.mark.parametrize(("act", "reason"), [(disable_user, "user_disabled"), (lock_user, "user_locked")])
def test_taking_access_away_says_which_sessions_it_ended(
    realm_a: Realm, user_a: User, as_owner_a: Actor, act: Callable[..., object], reason: str
) -> None:
    _, session = opened(realm_a, user_a)
    with realm_scope(realm_a):
        act(as_owner_a, user_id=user_a.pk)
    (event,) = said(realm_a)
    assert (event.actor_id, event.target_id) == (as_owner_a.id, session.pk)
    assert event.payload == {"user_id": str(user_a.pk), "reason": reason}
    assert readable([event])[0].personal["ip"] == "192.0.2.7"


def test_ti_02_what_is_refused_ends_no_session_and_says_nothing(
    realm_a: Realm, realm_b: Realm, owner_a: User, as_owner_b: Actor
) -> None:
    opened(realm_a, owner_a)
    desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        disable_user(desk, user_id=owner_a.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        disable_user(as_owner_b, user_id=owner_a.pk)
    with realm_scope(realm_a):
        assert Session.objects.filter(user=owner_a, status="active").count() == 1
    assert said(realm_a) == []


def test_a_session_that_had_run_out_is_closed_and_not_told(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    _, idle = opened(realm_a, user_a)
    _, usable = opened(realm_a, user_a)
    with realm_scope(realm_a):
        Session.objects.filter(pk=idle.pk).update(last_seen_at=clock.now() - timedelta(days=1))
        lock_user(as_owner_a, user_id=user_a.pk)
        idle.refresh_from_db()
    assert idle.status == "ended"
    assert [event.target_id for event in said(realm_a)] == [usable.pk]
    assert said(realm_a, "user.locked")[0].payload["sessions_ended"] == 1
