"""AC-14: what a stolen session must not be enough for wants a sign-in of the last minutes; nothing happens before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from conftest import PASSWORD, make_application, make_user
from identity.access.commands import create_role
from identity.access.models import ObjectGrant, OperatorVisit, Role
from identity.accounts.models import User
from identity.applications.models import Application, ClientSecret
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import SECRET, with_app
from identity.oauth.models import KeyStatus, SigningKey
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
STALE = timedelta(minutes=5, seconds=1)
WHY = "Ticket 4711: the owner lost the phone"


@dataclass
class Act:
    """One guarded act: its address and form in the console of `client`, and what it may change, read anew."""

    client: RealmClient
    path: str
    data: dict[str, str]
    state: Callable[[], Any]


def state_of(realm: Realm) -> tuple[Any, ...]:
    """Everything of a realm that the acts reach."""
    with realm_scope(realm):
        return (
            Realm.objects.get(pk=realm.pk).status,
            sorted(SigningKey.objects.values_list("pk", "status", "alg")),
            sorted(Application.objects.values_list("pk", "status")),
            sorted(ClientSecret.objects.values_list("pk", flat=True)),
            sorted(User.objects.values_list("pk", "status")),
            sorted(OperatorVisit.objects.values_list("pk", flat=True)),
            Realm.objects.get(pk=realm.pk).setting("signing_algorithm"),
        )


def events() -> int:
    return AuditEvent.objects.count()


ACTS = {
    "delete a realm": "realms/{realm}/delete",
    "suspend a realm": "realms/{realm}/suspend",
    "open a visit": "realms/{realm}/enter",
    "rotate the key": "keys/rotate",
    "withdraw the key": "keys/withdraw",
    "change the algorithm": "keys/algorithm",
    "delete an application": "applications/{application}/delete",
    "add a secret": "applications/{application}/secrets/add",
    "delete a person": "users/{user}/delete",
}


@pytest.fixture(params=ACTS)
def act(request: pytest.FixtureRequest, realm_a: Realm, owner_a: User, user_a: User, operator: User) -> Act:
    """Each of them, by somebody who may do it, with a form that would do it."""
    application, _ = make_application(realm_a, name="Shop")
    with realm_scope(realm_a):
        kid = SigningKey.objects.get(alg="ES256", status=KeyStatus.ACTIVE).kid
    ids = {
        "realm": public_id("realm", realm_a.pk),
        "application": public_id("application", application.pk),
        "user": public_id("user", user_a.pk),
    }
    confirm = {"delete a realm": "a", "withdraw the key": kid[:8], "delete an application": "Shop"}
    data = {"confirm": confirm.get(request.param, user_a.email or ""), "reason": WHY, "minutes": "15", "alg": "RS256"}
    path = ACTS[request.param]
    by = operator if path.startswith("realms/") else owner_a
    client = RealmClient(Realm.objects.get(pk=by.realm_id)).sign_in(by)
    return Act(client, "/console/" + path.format(**ids), data, lambda: state_of(realm_a))


def asked(where: str, realm: Realm) -> str:
    """Where the page that asks leads back to."""
    url = urlsplit(where)
    assert url.path == f"/realms/{realm.slug}/signin/again", where
    return parse_qs(url.query)["next"][0]


def test_ac_14_a_stale_session_is_asked_before_anything_and_goes_on_after_it(act: Act, realm_b: Realm) -> None:
    here = f"/realms/{act.client.realm.slug}{act.path}"
    before, other = act.state(), state_of(realm_b)
    with clock.clock_at(clock.now() + STALE):
        said = events()
        for response in (act.client.get(act.path), act.client.post(act.path, act.data)):
            assert response.status_code == 302
            assert asked(response["Location"], act.client.realm) == here
        assert (act.state(), events()) == (before, said)
        assert not any(WHY in str(item) for item in act.client.session.items()), "nothing posted is kept"

        wrong = act.client.post("/signin/again", {"password": "wrong", "next": here})
        assert wrong.status_code == 200
        assert act.client.post(act.path, act.data).status_code == 302
        assert act.state() == before

        right = act.client.post("/signin/again", {"password": PASSWORD, "next": here})
        assert right["Location"] == here
        assert act.state() == before, "confirming is not the act"
        assert act.client.get(act.path).status_code == 200
        assert act.client.post(act.path, act.data).status_code in (200, 302)
        assert act.state() != before
    assert state_of(realm_b) == other


def test_ac_14_htmx_leaves_the_page_and_comes_back_to_it(act: Act) -> None:
    before = act.state()
    page = f"/realms/{act.client.realm.slug}/console/"
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    with clock.clock_at(clock.now() + STALE):
        for response in (
            act.client.get(act.path, headers=headers),
            act.client.post(act.path, act.data, headers=headers),
        ):
            assert "Location" not in response
            assert asked(response["HX-Redirect"], act.client.realm) == page
    assert act.state() == before


def test_ac_14_a_sign_in_of_the_last_five_minutes_is_enough(act: Act) -> None:
    before = act.state()
    with clock.clock_at(clock.now() + timedelta(minutes=4, seconds=50)):
        assert act.client.get(act.path).status_code == 200
        assert act.client.post(act.path, act.data).status_code in (200, 302)
    assert act.state() != before


def test_ac_14_another_session_that_is_fresh_does_not_help(act: Act, realm_b: Realm, owner_b: User) -> None:
    before = act.state()
    home = act.client.realm
    with realm_scope(home):
        person = User.objects.get(pk=act.client.session["_auth_user_id"])
    with clock.clock_at(clock.now() + STALE):
        RealmClient(home).sign_in(person)
        in_b = RealmClient(realm_b)
        in_b.cookies = act.client.cookies
        in_b.sign_in(owner_b)
        response = act.client.post(act.path, act.data)
        asked(response["Location"], home)
    assert act.state() == before


def test_ac_14_who_may_not_do_it_is_refused_and_not_asked(act: Act) -> None:
    nobody = make_user(act.client.realm, "nobody@example.com", role="Auditor")
    client = RealmClient(act.client.realm).sign_in(nobody)
    before = act.state()
    with clock.clock_at(clock.now() + STALE):
        assert client.get(act.path).status_code == 403
        assert client.post(act.path, act.data).status_code == 403
    assert act.state() == before


def test_ac_14_every_way_of_giving_power_asks_not_the_dialog_of_roles_alone(realm_a: Realm, owner_a: User) -> None:
    application, _ = make_application(realm_a, name="Shop")
    thief = make_user(realm_a, "thief@example.net")
    with realm_scope(realm_a):
        own = create_role(system_actor(realm_a.pk), name="Reader", kind="console", permissions=["users:read"])
        owner = public_id("role", Role.objects.get(name="Owner", built_in=True).pk)
    client = RealmClient(realm_a).sign_in(owner_a)
    someone = public_id("user", thief.pk)
    more = {"name": "Reader", "permissions": ["users:read", "users:write"]}
    ways: dict[str, dict[str, Any]] = {
        "/console/users/invite": {"email": "accomplice@example.net", "roles": [owner]},
        f"/console/applications/{public_id('application', application.pk)}/managers/add": {
            "user": someone,
            "permissions": ["applications:write"],
        },
        f"/console/roles/{public_id('role', own.pk)}/edit": more,
    }

    def given() -> tuple[Any, ...]:
        with realm_scope(realm_a):
            held = sorted(map(str, Role.objects.get(pk=own.pk).permissions))
            return User.objects.count(), ObjectGrant.objects.count(), held

    before = given()
    with clock.clock_at(clock.now() + STALE):
        for path, data in ways.items():
            assert asked(client.post(path, data)["Location"], realm_a) == f"/realms/a{path}"
            assert given() == before, path
        # Who gets nothing is invited as before.
        assert "again" not in client.post("/console/users/invite", {"email": "new@example.net"})["Location"]
    for path, data in ways.items():
        before = given()
        assert client.post(path, data).status_code == 302
        assert given() != before, path


def without_password(client: RealmClient, **fields: Any) -> User:
    """Takes the password of who is signed in, and signs him in again."""
    with realm_scope(client.realm):
        person = User.objects.get(pk=client.session["_auth_user_id"])
        person.set_unusable_password()
        User.objects.filter(pk=person.pk).update(password=person.password, **fields)
        person.refresh_from_db()
    client.sign_in(person)
    return person


def test_ac_14_without_a_password_a_code_to_the_confirmed_address_is_asked_for(act: Act) -> None:
    home = act.client.realm
    person = without_password(act.client)
    before = act.state()
    with clock.clock_at(clock.now() + STALE):
        where = act.client.get(act.path)["Location"]
        page = act.client.get(where)
        assert page.status_code == 200
        assert 'type="password"' not in page.text
        for password in ("", person.password, PASSWORD):
            again = act.client.post("/signin/again", {"password": password})
            assert again["Location"].startswith(f"/realms/{home.slug}/signin/again")
        wrong = act.client.post("/signin/again", {"factor": "mailed", "code": "000000"})
        assert 'role="alert"' in wrong.text
        asked(act.client.post(act.path, act.data)["Location"], home)
    assert act.state() == before


def test_ac_14_with_nothing_to_confirm_with_nobody_passes(act: Act) -> None:
    home = act.client.realm
    person = without_password(act.client, email_verified_at=None, phone_verified_at=None)
    before = act.state()
    with clock.clock_at(clock.now() + STALE):
        where = act.client.get(act.path)["Location"]
        assert act.client.get(where)["Location"] == f"/realms/{home.slug}/signout"
        for password in ("", person.password, PASSWORD):
            assert act.client.post("/signin/again", {"password": password}).status_code == 302
        asked(act.client.post(act.path, act.data)["Location"], home)
    assert act.state() == before


def test_lg_20_who_has_a_second_factor_confirms_with_it_in_the_console_too(realm_a: Realm, owner_a: User) -> None:
    with realm_scope(realm_a):
        with_app(owner_a)
    client = RealmClient(realm_a).sign_in(owner_a)
    own = f"/console/users/{public_id('user', owner_a.pk)}/edit"
    ways = [("/console/keys/rotate", {}), (f"{own}/email", {"email-email": "thief@example.net"})]
    for path, data in ways:
        assert client.post("/signin/again", {"factor": "password", "password": PASSWORD}).status_code == 302
        assert "by=factor" in client.post(path, data)["Location"], path
    with realm_scope(realm_a):
        assert User.objects.get(pk=owner_a.pk).email == owner_a.email
    code = code_at(SECRET, clock.now())
    assert client.post("/signin/again", {"factor": "totp", "code": code, "by": "factor"}).status_code == 302
    assert client.get("/console/keys/rotate").status_code == 200
    assert client.post(*ways[1])["Location"].endswith("/edit")


@pytest.fixture
def visiting(realm_a: Realm, platform: Realm, operator: User) -> RealmClient:
    """The operator's browser in A, on a visit."""
    client = RealmClient(platform).sign_in(operator)
    path = f"/console/realms/{public_id('realm', realm_a.pk)}/enter"
    assert client.post(path, {"reason": WHY, "minutes": "60"}).status_code == 302
    inside = RealmClient(realm_a)
    inside.cookies = client.cookies
    return inside


def test_ac_14_a_visitor_confirms_in_the_platform_and_comes_back(
    visiting: RealmClient, realm_a: Realm, owner_a: User, platform: Realm
) -> None:
    path = "/console/keys/rotate?from=menu"
    with clock.clock_at(clock.now() + STALE):
        before = state_of(realm_a)
        # A fresh session of the realm itself, in the same browser, has no say in it.
        visiting.sign_in(owner_a)
        where = visiting.post(path)["Location"]
        back = asked(where, platform)
        assert state_of(realm_a) == before
        at_home = RealmClient(platform)
        at_home.cookies = visiting.cookies
        assert at_home.get(where).status_code == 200
        confirmed = at_home.post("/signin/again", {"password": PASSWORD, "next": back})
        assert confirmed["Location"] == back
        assert at_home.get(back)["Location"] == f"/realms/a{path}"
        assert visiting.get(path).status_code == 200
        assert visiting.post(path).status_code == 302
        assert state_of(realm_a) != before


def test_lg_20_a_visitor_shows_the_second_factor_of_his_own_realm(
    visiting: RealmClient, realm_a: Realm, platform: Realm, operator: User
) -> None:
    with realm_scope(platform):
        with_app(operator)
    where = visiting.post("/console/keys/rotate")["Location"]
    assert "by=factor" in where
    at_home = RealmClient(platform)
    at_home.cookies = visiting.cookies
    at_home.post("/signin/again", {"factor": "totp", "code": code_at(SECRET, clock.now()), "by": "factor"})
    assert visiting.get("/console/keys/rotate").status_code == 200


@pytest.mark.parametrize(
    "to",
    ["", "https://evil.example/", "//evil.example", "/realms/b/console/keys", "/realms/a/account/",
     "/realms/a/console/../account/", "/realms/a/console/%2e%2e/x", "/realms/a/consolex", "/realms/a/console/\\x"],
)  # fmt: skip
def test_ac_14_the_way_back_leads_into_that_console_alone(
    platform: Realm, operator: User, realm_a: Realm, realm_b: Realm, to: str
) -> None:
    client = RealmClient(platform).sign_in(operator)
    response = client.get(f"/console/realms/{public_id('realm', realm_a.pk)}/back", {"to": to})
    assert response["Location"] == "/realms/a/console/"
