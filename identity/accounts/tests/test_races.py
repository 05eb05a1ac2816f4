"""Real threads on PostgreSQL: what may happen once happens once, whoever tries it at the same moment."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from conftest import actor_of, make_user
from identity.access.models import RoleAssignment
from identity.access.queries import find_role
from identity.accounts.commands import (
    accept_invitation,
    delete_user,
    disable_user,
    invite_user,
    lock_user,
    sign_up_user,
    use_reset_link,
)
from identity.accounts.links import reset_tokens
from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.courier.testing import mails
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import RealmkeepError
from identity.realms.models import Realm
from identity.signin.commands import check_sign_in

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_postgresql"),
]
PASSWORD = "another fine phrase"


def together(realm: Realm, *acts: Callable[[], Any]) -> list[str]:
    """Runs all at the same moment, each in a thread of its own: "done", or the reason of the refusal, sorted."""
    barrier, outcomes = Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            with realm_scope(realm):
                barrier.wait(timeout=20)
                act()
            outcomes.append("done")
        except RealmkeepError as refusal:
            outcomes.append(refusal.reason)
        except Exception as error:  # noqa: BLE001 - a deadlock or a lost constraint must show in the assertion
            outcomes.append(repr(error))
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(outcomes)


def count(realm: Realm, kind: str) -> int:
    return AuditEvent.objects.filter(realm_id=realm.pk, type=kind).count()


@pytest.mark.parametrize("act", [disable_user, delete_user, lock_user])
def test_ac_08_two_owners_who_end_each_other_at_once_leave_one(realm_a: Realm, owner_a: User, act: Callable[..., Any]):
    second = make_user(realm_a, "second@example.com", role="Owner", name="Sam Second")
    first_actor, second_actor = actor_of(owner_a), actor_of(second)
    outcomes = together(
        realm_a, lambda: act(first_actor, user_id=second.pk), lambda: act(second_actor, user_id=owner_a.pk)
    )
    assert outcomes == ["done", "last_owner"]
    with realm_scope(realm_a):
        role = find_role("console", "Owner")
        assert role is not None
        able = RoleAssignment.objects.filter(role=role, user__status="active")
        assert able.count() == 1


def test_an_invitation_is_accepted_once(realm_a: Realm, as_owner_a: Actor):
    with realm_scope(realm_a):
        invite_user(as_owner_a, email="new@example.com")
        token = mails(realm_a)[-1].links[0].rstrip("/").rsplit("/", 1)[-1]
    door = anonymous_actor(realm_a.pk)
    outcomes = together(
        realm_a, *[lambda n=n: accept_invitation(door, token=token, password=f"{PASSWORD} {n}") for n in range(4)]
    )
    assert outcomes == ["done", "not_found", "not_found", "not_found"]
    assert count(realm_a, "invitation.accepted") == 1


def test_a_reset_link_works_once(realm_a: Realm, user_a: User):
    token = reset_tokens.make_token(user_a)
    door = anonymous_actor(realm_a.pk)
    outcomes = together(
        realm_a,
        *[
            lambda n=n: use_reset_link(door, user_id=user_a.pk, token=token, password=f"{PASSWORD} {n}")
            for n in range(4)
        ],
    )
    assert outcomes == ["done", "link_used", "link_used", "link_used"]
    assert count(realm_a, "password.changed") == 1


def test_lg_25_one_address_in_many_spellings_makes_one_account(realm_a: Realm):
    door = anonymous_actor(realm_a.pk)
    spellings = ("new@example.com", "NEW@example.com", " new@EXAMPLE.com", "ｎｅｗ@example.com")
    outcomes = together(realm_a, *[lambda email=email: sign_up_user(door, email=email) for email in spellings])
    assert outcomes == ["done", "email_taken", "email_taken", "email_taken"]
    with realm_scope(realm_a):
        assert User.objects.count() == 1
    assert count(realm_a, "user.created") == 1


def test_rl_05_a_burst_of_guesses_gets_no_more_tries_than_a_patient_one(realm_a: Realm, user_a: User):
    """Each try is counted before its password is looked at: twelve at once are five tries and seven refusals."""
    door = anonymous_actor(realm_a.pk)
    outcomes = together(realm_a, *[lambda: check_sign_in(door, identifier="dana@example.com", password="wrong")] * 12)
    assert [outcomes.count(reason) for reason in sorted(set(outcomes))] == [5, 7], outcomes
    reasons = list(
        AuditEvent.objects.filter(realm_id=realm_a.pk, type="signin.failed").values_list("payload__reason", flat=True)
    )
    assert sorted(reasons) == ["too_many_tries", *["wrong_password"] * 5]
    with realm_scope(realm_a), pytest.raises(RealmkeepError), transaction.atomic():
        check_sign_in(door, identifier="dana@example.com", password="correct horse battery")
