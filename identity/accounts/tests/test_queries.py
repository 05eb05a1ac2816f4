"""Who is found, by whom."""

import pytest

from conftest import actor_of, make_user
from identity.access.commands import add_member, create_organization, grant_object
from identity.access.models import Role
from identity.accounts.commands import create_user, disable_user, invite_user, lock_user
from identity.accounts.models import User
from identity.accounts.queries import count_users, find_user_by_identifier, find_users, get_user
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import NotFound, PermissionDenied
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.realms.models import Realm

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_people_are_found_by_state_role_and_text(
    realm_a: Realm, owner_a: User, user_a: User, as_owner_a: Actor
) -> None:
    off, locked = make_user(realm_a, "off@example.com"), make_user(realm_a, "locked@example.com")
    with realm_scope(realm_a):
        disable_user(as_owner_a, user_id=off.pk)
        lock_user(as_owner_a, user_id=locked.pk)
        invited = invite_user(as_owner_a, email="kim@example.com", name="Kim").user
        owner_role = Role.objects.get(name="Owner")
        for query, found in (
            ({}, [invited, locked, off, user_a, owner_a]), ({"status": "active"}, [user_a, owner_a]),
            ({"status": "disabled"}, [off]), ({"status": "locked"}, [locked]), ({"status": "invited"}, [invited]),
            ({"role_id": owner_role.pk}, [owner_a]), ({"search": "okafor"}, [user_a]), ({"search": "DANA@"}, [user_a]),
            ({"search": public_id("user", off.pk)}, [off]), ({"search": "nobody"}, []), ({"search": "%"}, []),
        ):  # fmt: skip
            assert set(find_users(as_owner_a, **query)) == set(found), query
        assert count_users(as_owner_a, status="active") == 2


def test_ti_02_nobody_of_another_realm_is_found(
    realm_a: Realm, as_owner_a: Actor, user_a: User, realm_b: Realm, user_b: User
) -> None:
    with realm_scope(realm_a):
        assert user_b not in find_users(as_owner_a)
        with pytest.raises(NotFound):
            get_user(as_owner_a, user_id=user_b.pk)
        assert find_user_by_identifier("dana@example.com") == user_a
    with realm_scope(realm_b):
        assert find_user_by_identifier("dana@example.com") == user_b


def test_who_lacks_users_read_finds_only_himself(realm_a: Realm, user_a: User, owner_a: User, as_user_a: Actor) -> None:
    with realm_scope(realm_a):
        assert get_user(as_user_a, user_id=user_a.pk) == user_a
        for actor in (as_user_a, anonymous_actor(realm_a.pk)):
            with pytest.raises(PermissionDenied):
                get_user(actor, user_id=owner_a.pk)
            with pytest.raises(PermissionDenied):
                find_users(actor)


def test_a_help_desk_of_one_organization_finds_its_people_alone(
    realm_a: Realm, user_a: User, owner_a: User, as_owner_a: Actor
) -> None:
    helper = make_user(realm_a, "helper@example.com")
    with realm_scope(realm_a):
        org = create_organization(as_owner_a, slug="north", name="North")
        add_member(as_owner_a, organization_id=org.pk, user_id=user_a.pk)
        grant_object(
            as_owner_a, user_id=helper.pk, permission=Permission.USERS_READ, kind="organization", object_id=org.pk
        )
    desk = actor_of(helper)
    with realm_scope(realm_a):
        assert list(find_users(desk)) == [user_a]
        with pytest.raises(NotFound):
            get_user(desk, user_id=owner_a.pk)


def test_lg_25_one_person_by_every_spelling_and_nobody_by_a_look_alike(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        user = create_user(as_owner_a, email="admin@example.com", username="admin", phone="+4930123456")
        for typed in (
            "ADMIN@example.com",
            " admin@EXAMPLE.com",
            "Admin",
            "ＡＤＭＩＮ",
            "0049 30 123456",
            "+49 30 123456",
        ):
            assert find_user_by_identifier(typed) == user, typed
        for typed in ("\u0430dmin", "ad\u200bmin", "ádmin", "admin@example.com.evil.example", "a_min", "", "%"):
            assert find_user_by_identifier(typed) is None, typed
