"""Requiring a new password of one person, in the console."""

import pytest

from conftest import make_user
from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db


def url(user: User, act: str = "/new-password") -> str:
    return f"/console/users/{public_id('user', user.pk)}{act}"


def required(realm: Realm, user: User) -> str:
    with realm_scope(realm):
        return User.objects.get(pk=user.pk).password_change_required


def test_the_dialog_says_what_it_does_and_the_page_what_was_done(
    as_owner: RealmClient, realm_a: Realm, user_a: User
) -> None:
    assert url(user_a) in as_owner.get(url(user_a, "")).text
    assert "Require a new password of Dana Okafor?" in as_owner.get(url(user_a)).text
    assert as_owner.post(url(user_a), {"reason": "Seen on a note"}).status_code == 302
    assert required(realm_a, user_a) == "admin"
    page = as_owner.get(url(user_a, "")).text
    assert "New one at the next sign-in" in page
    assert url(user_a) not in page


def test_it_can_sign_the_person_out_at_once(as_owner: RealmClient, realm_a: Realm, user_a: User) -> None:
    person = RealmClient(realm_a).sign_in(user_a)
    assert as_owner.post(url(user_a), {"reason": "", "end_sessions": "on"}).status_code == 302
    assert person.get("/account/").status_code == 302
    event = AuditEvent.objects.get(realm_id=realm_a.pk, type="password.change_required")
    assert event.payload["sessions_ended"] == 1


def test_a_help_desk_does_not_do_it_to_an_owner(realm_a: Realm, owner_a: User) -> None:
    helper = RealmClient(realm_a).sign_in(make_user(realm_a, "help@example.com", role="Help desk"))
    assert helper.post(url(owner_a), {"reason": ""}).status_code in (403, 404)
    assert required(realm_a, owner_a) == ""


def test_ti_02_another_realms_person_is_not_there(as_owner: RealmClient, realm_b: Realm, user_b: User) -> None:
    assert as_owner.get(url(user_b)).status_code == 404
    assert as_owner.post(url(user_b), {"reason": ""}).status_code == 404
    assert required(realm_b, user_b) == ""
