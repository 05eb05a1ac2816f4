"""AC-08: a realm is never left without an owner, whoever tries it and however many at once."""

from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from conftest import actor_of, make_user
from identity.access.commands import assign_role, unassign_role
from identity.access.models import RoleAssignment
from identity.access.queries import find_role, is_last_owner, require_rank
from identity.accounts.commands import delete_user, disable_user, enable_user, lock_user, unlock_user
from identity.accounts.models import Invitation, User
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, PermissionDenied

pytestmark = pytest.mark.django_db


def owner_role():
    return find_role("console", "Owner")


def last_owner(user):
    with transaction.atomic():
        return is_last_owner(user.pk)


def test_ac_08_the_last_owner_stays(realm_a, owner_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        assert last_owner(owner_a)
        for actor in (as_owner_a, system_actor(realm_a.pk)):
            with pytest.raises(Conflict) as refusal:
                unassign_role(actor, user_id=owner_a.pk, role_id=owner_role().pk)
            assert refusal.value.reason == "last_owner"
        assign_role(as_owner_a, user_id=user_a.pk, role_id=owner_role().pk)
        assert not last_owner(owner_a)
        unassign_role(as_owner_a, user_id=owner_a.pk, role_id=owner_role().pk)
        assert last_owner(user_a)
        assert not last_owner(owner_a)


@pytest.mark.parametrize("state", ["disabled", "locked", "invited"])
def test_ac_08_an_owner_who_cannot_sign_in_is_no_second_owner(realm_a, owner_a, as_owner_a, user_a, state):
    with realm_scope(realm_a):
        assign_role(as_owner_a, user_id=user_a.pk, role_id=owner_role().pk)
        if state in ("disabled", "locked"):
            User.objects.filter(pk=user_a.pk).update(status=state)
        else:
            now = clock.now()
            Invitation.objects.create(
                user=user_a, email="dana@example.com", token_hash=b"x" * 33, created_at=now, expires_at=now
            )
        with pytest.raises(Conflict):
            unassign_role(as_owner_a, user_id=owner_a.pk, role_id=owner_role().pk)


def test_ac_08_owners_of_another_realm_do_not_count(realm_a, realm_b, owner_a, owner_b, as_owner_a):
    with realm_scope(realm_a), pytest.raises(Conflict):
        unassign_role(as_owner_a, user_id=owner_a.pk, role_id=owner_role().pk)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ac_08_two_owners_who_demote_each_other_at_once_leave_one(on_postgresql, realm_a, owner_a):
    second = make_user(realm_a, "second@example.com", role="Owner", name="Sam Second")
    actors = actor_of(owner_a), actor_of(second)
    with realm_scope(realm_a):
        role_id = owner_role().pk
    barrier, outcomes = Barrier(2), []

    def demote(actor, victim):
        try:
            with realm_scope(realm_a):
                barrier.wait()
                unassign_role(actor, user_id=victim.pk, role_id=role_id)
            outcomes.append("done")
        except Conflict as refusal:
            outcomes.append(refusal.reason)
        finally:
            connection.close()

    threads = [Thread(target=demote, args=pair) for pair in ((actors[0], second), (actors[1], owner_a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["done", "last_owner"]
    with realm_scope(realm_a):
        assert RoleAssignment.objects.filter(role_id=role_id).count() == 1


def test_ac_02_a_help_desk_cannot_act_on_people_above_it(realm_a, owner_a, user_a):
    desk = make_user(realm_a, "desk@example.com", role="Help desk")
    with realm_scope(realm_a):
        require_rank(actor_of(desk), user_id=user_a.pk)
        require_rank(actor_of(desk), user_id=desk.pk)
        with pytest.raises(PermissionDenied):
            require_rank(actor_of(desk), user_id=owner_a.pk)
        require_rank(actor_of(owner_a), user_id=desk.pk)


def test_ac_02_people_above_are_contained_by_a_lock_but_not_disabled_or_deleted(realm_a, owner_a):
    make_user(realm_a, "second@example.com", role="Owner")
    desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
    with realm_scope(realm_a):
        for act in (disable_user, delete_user):
            with pytest.raises(PermissionDenied):
                act(desk, user_id=owner_a.pk)
        lock_user(desk, user_id=owner_a.pk, minutes=60)
        unlock_user(desk, user_id=owner_a.pk)
        disable_user(system_actor(realm_a.pk), user_id=owner_a.pk)
        with pytest.raises(PermissionDenied):
            enable_user(desk, user_id=owner_a.pk)
