"""Pages of identity providers: list, add, change, test, disable, delete; who may, and what is never shown."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.realms.commands import create_provider
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key, secrets_of
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider

PAGE = "/console/sign-in/providers"
ONE = "/console/sign-in/provider/corp"
SECRET = "a-secret-that-no-page-shows"


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeProvider]:
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def console(realm_a: Realm, owner_a: User) -> RealmClient:
    return RealmClient(realm_a).sign_in(owner_a)


def add(actor: Actor, **fields: Any) -> IdentityProvider:
    values: dict[str, Any] = {
        "alias": "corp",
        "name": "Corp ID",
        "kind": "oidc",
        "client_id": "realmkeep",
        "secret": SECRET,
        "settings": {"issuer": "https://id.corp.example"},
        **fields,
    }
    with realm_scope(Realm.objects.get(pk=actor.realm_id)):
        return create_provider(actor, **values)


def text(response: Any) -> str:
    return str(response.content.decode())


def test_an_empty_list_says_how_to_add_one(console: RealmClient) -> None:
    page = text(console.get(PAGE))
    assert "No providers yet" in page
    assert f'href="/realms/a{PAGE}/new"' in page


@pytest.mark.parametrize("kind", ["google", "github", "microsoft", "apple", "oidc", "oauth2"])
def test_each_kind_shows_the_callback_and_what_it_needs(kind: str, console: RealmClient) -> None:
    page = text(console.get(f"{PAGE}/new", {"kind": kind}))
    assert "http://testserver/realms/a/signin/provider/callback" in page
    assert ('name="private_key"' in page) == (kind == "apple")
    assert ('name="issuer"' in page) == (kind == "oidc")


def test_a_provider_is_added_and_its_secret_is_never_shown(realm_a: Realm, console: RealmClient) -> None:
    data = {
        "kind": "oidc",
        "name": "Corp ID",
        "alias": "corp",
        "client_id": "realmkeep",
        "client_secret": SECRET,
        "issuer": "https://id.corp.example",
        "token_auth": "auto",
        "scopes": "openid\nemail",
        "sign_up": "create",
    }
    wrong = console.post(f"{PAGE}/new", {**data, "issuer": "http://169.254.169.254/"})
    assert wrong.status_code == 422
    assert "https://" in text(wrong)
    assert SECRET not in text(wrong)
    assert console.post(f"{PAGE}/new", data).status_code == 302
    with realm_scope(realm_a):
        provider = IdentityProvider.objects.get()
        assert (provider.alias, provider.scopes, provider.sign_up) == ("corp", ["openid", "email"], "create")
        assert secrets_of(provider) == {"client_secret": SECRET}
    for page in (PAGE, ONE, f"{ONE}/secret", f"{ONE}/test", f"{ONE}/delete"):
        assert SECRET not in text(console.get(page))
    again = console.post(f"{PAGE}/new", data)
    assert again.status_code == 422
    assert SECRET not in text(again)


def test_each_part_saves_itself_and_an_old_page_is_refused(
    realm_a: Realm, console: RealmClient, as_owner_a: Actor
) -> None:
    add(as_owner_a)
    policy = {"part": "policy", "version": "1", "sign_up": "approve", "domains": "corp.example\nCorp.example"}
    assert console.post(ONE, policy).status_code == 302
    assert console.post(ONE, {**policy, "sign_up": "link"}).status_code == 409
    mapping = {"part": "mapping", "version": "2", "email": "mail", "name": "", "amr": "gold = mfa"}
    assert console.post(ONE, mapping).status_code == 302
    assert console.post(ONE, {**mapping, "version": "3", "amr": "nonsense"}).status_code == 422
    assert console.post(ONE, {**mapping, "version": "3", "amr": "gold = admin"}).status_code == 422
    connection = {
        "part": "connection",
        "version": "3",
        "name": "Corp",
        "client_id": "other",
        "issuer": "https://id.corp.example",
        "token_auth": "basic",
        "scopes": "openid",
    }
    assert console.post(ONE, connection).status_code == 302
    assert console.post(ONE, {"part": "alias"}).status_code == 422
    with realm_scope(realm_a):
        provider = IdentityProvider.objects.get()
    assert (provider.name, provider.sign_up, provider.domains) == ("Corp", "approve", ["corp.example"])
    assert (provider.attribute_mapping, provider.amr_mapping) == ({"email": "mail"}, {"gold": "mfa"})
    assert provider.settings["token_auth"] == "basic"


def test_ac_10_another_address_asks_for_the_secret_at_its_field(
    realm_a: Realm, console: RealmClient, as_owner_a: Actor
) -> None:
    add(as_owner_a)
    moved = {
        "part": "connection",
        "version": "1",
        "name": "Corp ID",
        "client_id": "realmkeep",
        "issuer": "https://id.thief.example",
        "token_auth": "auto",
        "scopes": "openid",
    }
    refused = console.post(ONE, moved)
    assert refused.status_code == 422
    assert refused.context["sections"][0]["form"].errors.keys() == {"client_secret"}
    with realm_scope(realm_a):
        assert IdentityProvider.objects.get().settings["issuer"] == "https://id.corp.example"
    assert console.post(ONE, {**moved, "client_secret": "of-the-new-one"}).status_code == 302
    with realm_scope(realm_a):
        provider = IdentityProvider.objects.get()
        assert provider.settings["issuer"] == "https://id.thief.example"
        assert secrets_of(provider) == {"client_secret": "of-the-new-one"}


def test_the_order_of_the_buttons_changes(realm_a: Realm, console: RealmClient, as_owner_a: Actor) -> None:
    add(as_owner_a)
    add(as_owner_a, alias="two", name="Two")
    console.post(f"{ONE}/move", {"down": "1"})
    page = text(RealmClient(realm_a).get("/signin"))
    with realm_scope(realm_a):
        assert list(IdentityProvider.objects.order_by("position").values_list("alias", flat=True)) == ["two", "corp"]
    assert page.index("/signin/provider/two") < page.index("/signin/provider/corp")


def test_a_secret_is_replaced(realm_a: Realm, console: RealmClient, as_owner_a: Actor) -> None:
    add(as_owner_a)
    assert console.post(f"{ONE}/secret", {"secret": "two\nlines"}).status_code == 422
    assert console.post(f"{ONE}/secret", {"secret": "the-next-one"}).status_code == 302
    with realm_scope(realm_a):
        assert secrets_of(IdentityProvider.objects.get()) == {"client_secret": "the-next-one"}


def test_testing_says_each_step(console: RealmClient, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, settings={"issuer": fake.issuer}, client_id=fake.client_id, secret=fake.client_secret)
    assert text(console.post(f"{ONE}/test")).count("Right") == 5
    fake.status["/jwks"] = 500
    page = text(console.post(f"{ONE}/test"))
    assert "No usable answer from its page of keys" in page
    fake.status["/.well-known/openid-configuration"] = 418
    page = text(console.post(f"{ONE}/test"))
    assert "No usable answer from the issuer" in page
    assert "status 418" not in page
    assert "Not tried" in page


def test_in_05_testing_reveals_nothing_of_what_lies_inside(
    console: RealmClient, as_owner_a: Actor, fake: FakeProvider, settings: Any
) -> None:
    add(as_owner_a, settings={"issuer": fake.issuer})
    closed = "https://127.0.0.1:1"
    add(as_owner_a, alias="closed", settings={"issuer": closed})
    settings.REALMKEEP_OUTBOUND_NETWORKS = []
    answers = [text(console.post(f"/console/sign-in/provider/{alias}/test")) for alias in ("corp", "closed")]
    notes = [page.count("No usable answer from the issuer") for page in answers]
    assert notes == [1, 1]
    assert not fake.asked


def test_the_whole_trip_shows_what_would_be_known_and_signs_nobody_in(
    realm_a: Realm, owner_a: User, console: RealmClient, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, settings={"issuer": fake.issuer}, secret=fake.client_secret, sign_up="create", enabled=False)
    location = console.get(f"{ONE}/trip").headers["Location"]
    page = console.get(fake.agree(location).removeprefix("http://testserver"))
    assert "Corp ID works" in text(page)
    assert "dana@corp.example" in text(page)
    assert not SocialAccount.objects.exists()
    assert not User.all_realms.filter(email="dana@corp.example").exists()
    assert console.session["_auth_user_id"] == str(owner_a.pk)


def test_a_trip_that_fails_says_at_which_step_and_nothing_of_the_other_side(
    console: RealmClient, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, settings={"issuer": fake.issuer}, secret="another")
    location = console.get(f"{ONE}/trip").headers["Location"]
    answer = console.get(fake.agree(location).removeprefix("http://testserver"))
    shown = [(str(step["label"]), str(step["word"])) for step in answer.context["steps"]]
    assert shown == [
        ("Its addresses are known", "Right"),
        ("It sent you back with a code", "Right"),
        ("It took the code, the client ID and the secret", "Not right"),
        ("Its keys can be read", "Not reached"),
        ("Its ID token is signed, for us and of now", "Not reached"),
        ("It says who it is", "Not reached"),
    ]
    assert all(label in text(answer) for label, _word in shown)
    assert "invalid_grant" not in text(answer)
    # Nobody tried to sign in: the share of sign-ins that succeed is as before.
    assert not AuditEvent.objects.filter(type="signin.failed").exists()
    # Who signs in through it is told less (IN-05).
    visitor = RealmClient(console.realm)
    location = visitor.get("/signin/provider/corp").headers["Location"]
    failed = visitor.get(fake.agree(location).removeprefix("http://testserver"))
    assert failed.status_code == 502
    assert "took the code" not in text(failed)
    assert AuditEvent.objects.filter(type="signin.failed").count() == 1


def test_disabling_and_deleting_say_whom_they_hit(
    realm_a: Realm, console: RealmClient, as_owner_a: Actor, user_a: User
) -> None:
    provider = add(as_owner_a)
    SocialAccount.objects.create(user=user_a, provider=provider_key(provider), uid="1", extra_data={})
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(password="!")
    page = text(console.get(f"{ONE}/delete"))
    assert 'name="seen_stranded" value="1"' in page
    assert 'name="seen_linked" value="1"' in page
    assert console.post(f"{ONE}/delete", {"confirm": "Corp"}).status_code == 422
    assert console.post(f"{ONE}/delete", {"confirm": "corp", "seen_stranded": "0"}).status_code == 409
    assert console.post(f"{ONE}/disable").status_code == 302
    assert "Disabled" in text(console.get(PAGE))
    assert console.post(f"{ONE}/enable").status_code == 302
    assert console.post(f"{ONE}/delete", {"confirm": "corp", "seen_stranded": "1"}).status_code == 302
    with realm_scope(realm_a):
        assert not IdentityProvider.objects.exists()
    assert not SocialAccount.objects.exists()


def test_who_may_not_change_settings_sees_no_page(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, user_a: User, owner_b: User, client_for: Callable[[Realm], Any]
) -> None:
    add(as_owner_a)
    pages = (PAGE, f"{PAGE}/new", ONE, f"{ONE}/test", f"{ONE}/trip", f"{ONE}/secret", f"{ONE}/disable", f"{ONE}/delete")
    nobody = client_for(realm_a).sign_in(user_a)
    stranger = client_for(realm_b).sign_in(owner_b)
    for page in pages:
        assert nobody.get(page).status_code == 403
    for page in pages[2:]:
        assert stranger.get(page).status_code == 404
    for act in ("move", "enable", "disable", "delete", "secret", "test"):
        assert nobody.post(f"{ONE}/{act}").status_code == 403
        assert stranger.post(f"{ONE}/{act}").status_code == 404


def test_an_admin_sees_and_ends_links_of_a_person_but_never_the_last_way_in(
    realm_a: Realm, console: RealmClient, as_owner_a: Actor, user_a: User
) -> None:
    provider = add(as_owner_a)
    key = provider_key(provider)
    SocialAccount.objects.create(user=user_a, provider=key, uid="1", extra_data={"label": "dana@corp.example"})
    person = f"/console/users/{public_id('user', user_a.pk)}"
    page = text(console.get(person))
    assert "dana@corp.example" in page
    assert f"{person}/unlink/corp" in page
    assert console.get(f"{person}/unlink/corp").status_code == 200
    assert console.get(f"{person}/unlink/nothing").status_code == 404
    with realm_scope(realm_a):
        kept = user_a.password
        User.objects.filter(pk=user_a.pk).update(password="!")
    assert console.post(f"{person}/unlink/corp").status_code == 409
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(password=kept)
    assert console.post(f"{person}/unlink/corp").status_code == 302
    assert not SocialAccount.objects.exists()
