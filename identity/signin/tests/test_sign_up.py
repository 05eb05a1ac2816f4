"""People who make an account for themselves."""

from collections.abc import Callable
from unittest.mock import patch

import pytest

from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import NOON, PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
FORM = {"name": "Kim Park", "email": "Kim@Example.com", "password1": PASSWORD}


def test_a_new_person_confirms_the_address_and_comes_in(realm_a: Realm, events: Events) -> None:
    client = RealmClient(realm_a)
    assert client.get("/signup").status_code == 200
    response = client.post("/signup?next=/realms/a/account/apps", FORM)
    assert response["Location"] == "/realms/a/signup/sent"
    with realm_scope(realm_a):
        user = User.objects.get(email="kim@example.com")
        assert not Session.objects.exclude(user=None).exists()
    assert (user.name, user.email_verified_at) == ("Kim Park", None)
    assert events(realm_a, "user.created")[-1].row.payload["how"] == "sign_up"
    (said,) = events(realm_a, "signup.completed")
    assert (said.row.target_id, said.row.actor_type) == (user.pk, "anonymous")
    (mail,) = mails(realm_a)
    assert mail.to == "kim@example.com"
    assert "Kim" not in mail.text + mail.html  # whoever signed up chose that name
    path = path_of(mail.links[0])
    assert client.get(path).status_code == 200
    with realm_scope(realm_a):
        assert User.objects.get(pk=user.pk).email_verified_at is None  # opening it is not enough
    assert client.post(path)["Location"] == "/realms/a/signin?next=%2Frealms%2Fa%2Faccount%2Fapps"
    assert events(realm_a, "email.verified")[0].row.target_id == user.pk
    assert sign_in(client, "kim@example.com")["Location"] == "/realms/a/account/"
    assert b"confirm it" not in RealmClient(realm_a).get(path).content


def test_lg_23_an_address_that_somebody_has_looks_the_same(realm_a: Realm, user_a: User, events: Events) -> None:
    new = RealmClient(realm_a).post("/signup", FORM)
    taken = RealmClient(realm_a).post("/signup", {**FORM, "email": "dana@example.com", "name": "Eve"})
    assert (new.status_code, new["Location"], new.content) == (taken.status_code, taken["Location"], taken.content)
    assert set(new.cookies) == set(taken.cookies)
    first, second = mails(realm_a)
    assert (second.to, second.subject) == ("dana@example.com", "You already have an account at Realm A")
    assert "Eve" not in second.text
    with realm_scope(realm_a):
        user_a.refresh_from_db()
        assert User.objects.filter(email="dana@example.com").count() == 1
    assert user_a.name == "Dana Okafor"
    assert user_a.check_password(PASSWORD)
    assert len(events(realm_a, "signup.completed")) == 1
    assert first.to == "kim@example.com"


def test_ti_01_an_address_of_another_realm_is_free_here(realm_a: Realm, realm_b: Realm, user_b: User) -> None:
    RealmClient(realm_a).post("/signup", {**FORM, "email": "dana@example.com"})
    with realm_scope(realm_a):
        assert User.objects.get(email="dana@example.com").pk != user_b.pk
    assert mails(realm_b) == []
    path = path_of(mails(realm_a)[0].links[0])
    other = RealmClient(realm_b)
    assert b"confirm it" not in other.get(path.replace("/realms/a/", "/realms/b/")).content
    other.post(path.replace("/realms/a/", "/realms/b/"))
    with realm_scope(realm_a):
        assert User.objects.get(email="dana@example.com").email_verified_at is None


def test_a_closed_realm_shows_and_takes_no_form(platform: Realm) -> None:
    client = RealmClient(platform)
    assert b"password1" not in client.get("/signup").content
    assert b"password1" not in client.post("/signup", FORM).content
    with realm_scope(platform):
        assert not User.objects.filter(email="kim@example.com").exists()


def test_lg_10_what_else_is_posted_is_ignored(realm_a: Realm, realm_b: Realm) -> None:
    extra = {
        "email_verified": "1", "email_verified_at": "2026-01-01", "is_active": "1", "is_superuser": "1",
        "is_staff": "1", "status": "active", "realm": str(realm_b.pk), "realm_id": str(realm_b.pk),
        "roles": "Owner", "role": "Owner",
        "phone": "+4930123456", "phone_verified_at": "2026-01-01", "username": "admin", "key": "x",
        "id": str(realm_b.pk),
    }  # fmt: skip
    RealmClient(realm_a).post("/signup", {**FORM, **extra})
    with realm_scope(realm_a):
        user = User.objects.get(email="kim@example.com")
        assert not user.role_assignments.exists()
    assert (user.email_verified_at, user.phone, user.username, user.key, user.is_superuser, user.realm_id) == (
        None, None, None, None, False, realm_a.pk,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "kim"), ("email", "kim@example.com\u200b"), ("email", "\u043aim@example.com"), ("email", ""),
        ("name", ""), ("name", "Ki\u202em"), ("password1", "short"), ("password1", "kim@example.com"),
        ("password1", "password1234"), ("password1", "x" * 257), ("password1", ""),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_said_at_its_field(realm_a: Realm, field: str, value: str) -> None:
    response = RealmClient(realm_a).post("/signup", {**FORM, field: value})
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]


def test_one_network_makes_a_few_accounts_an_hour(realm_a: Realm) -> None:
    with clock.clock_at(NOON):
        answers = [
            RealmClient(realm_a).post("/signup", {**FORM, "email": f"kim{n}@example.com"}).status_code
            for n in range(22)
        ]
    assert answers == [302] * 20 + [429] * 2


def test_a_race_for_one_address_makes_one_account(realm_a: Realm, user_a: User) -> None:
    with patch("identity.signin.commands.entrance.find_user_by_identifier", side_effect=[None, user_a]):
        response = RealmClient(realm_a).post("/signup", {**FORM, "email": "dana@example.com"})
    assert response["Location"] == "/realms/a/signup/sent"
    with realm_scope(realm_a):
        assert User.objects.filter(email="dana@example.com").count() == 1
    assert [mail.subject for mail in mails(realm_a)] == ["You already have an account at Realm A"]
