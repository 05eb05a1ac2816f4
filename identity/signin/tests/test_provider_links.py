"""Accounts elsewhere that are linked with the own one: by whom, and never the last way in."""

import pytest
from allauth.socialaccount.models import SocialAccount

from conftest import actor_of, make_user
from identity.accounts.models import User
from identity.courier.models import Message
from identity.courier.rendering import render
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.models import IdentityProvider, Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider
from identity.signin.tests.round_trips import add, come_back, events, is_in, link, round_trip

pytestmark = pytest.mark.django_db


def test_a_signed_in_person_links_and_unlinks(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, sign_up="link")
    client = RealmClient(realm_a).sign_in(user_a)
    location = client.get("/account/linked/corp/link").headers["Location"]
    back = come_back(client, fake.agree(location))
    assert back.headers["Location"] == "/realms/a/signin/provider/link"
    assert not SocialAccount.objects.exists()
    client.post("/signin/provider/link", {"action_link": "1"})
    assert SocialAccount.objects.get().user_id == user_a.pk
    assert client.get("/account/linked/corp/unlink").status_code == 200
    client.post("/account/linked/corp/unlink")
    assert not SocialAccount.objects.exists()
    assert [each.type for each in events(realm_a, "identity.linked", "identity.unlinked")] == [
        "identity.linked",
        "identity.unlinked",
    ]
    with realm_scope(realm_a):
        templates = list(Message.objects.order_by("id").values_list("template", flat=True))
    assert templates[-2:] == ["identity_linked", "identity_unlinked"]
    assert client.post("/account/linked/corp/unlink").status_code == 404


def test_linking_needs_a_fresh_sign_in(realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a).sign_in(user_a)
    location = client.get("/account/linked/corp/link").headers["Location"]
    come_back(client, fake.agree(location))
    Session.all_realms.update(authenticated_at="2020-01-01T00:00:00Z")
    assert "/signin/again" in client.get("/signin/provider/link").headers["Location"]
    client.post("/signin/provider/link", {"action_link": "1"})
    assert not SocialAccount.objects.exists()
    assert "/signin/again" in client.get("/account/linked/corp/link").headers["Location"]
    assert "/signin/again" in client.post("/account/linked/corp/unlink").headers["Location"]


def test_a_link_never_ends_at_who_signed_in_in_between(
    realm_a: Realm, as_owner_a: Actor, owner_a: User, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a).sign_in(user_a)
    url = fake.agree(client.get("/account/linked/corp/link").headers["Location"])
    with realm_scope(realm_a):
        store = client.session
        store["_auth_user_id"] = str(owner_a.pk)
        store["_auth_user_hash"] = owner_a.get_session_auth_hash()
        store.save()
    assert come_back(client, url).status_code == 400
    assert not SocialAccount.objects.exists()


def test_one_subject_is_linked_with_one_person(
    realm_a: Realm, as_owner_a: Actor, owner_a: User, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), owner_a)
    client = RealmClient(realm_a).sign_in(user_a)
    come_back(client, fake.agree(client.get("/account/linked/corp/link").headers["Location"]))
    client.post("/signin/provider/link", {"action_link": "1"})
    assert SocialAccount.objects.get().user_id == owner_a.pk


def test_the_last_way_in_is_never_unlinked_and_a_password_can_be_set_later(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a)
    round_trip(client, fake)
    assert is_in(client)
    client.post("/account/linked/corp/unlink")
    assert SocialAccount.objects.count() == 1
    response = client.post("/account/password/set", {"password1": "a long enough phrase 7"})
    assert response.status_code == 302
    client.post("/account/linked/corp/unlink")
    assert not SocialAccount.objects.exists()


def test_unlinking_for_somebody_needs_the_permission(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, as_user_a: Actor, fake: FakeProvider
) -> None:
    from identity.kernel.errors import NotFound, PermissionDenied
    from identity.signin.commands import unlink_identity

    provider = add(as_owner_a, fake)
    other = make_user(realm_a, "lee@example.com")
    link(provider, other)
    with realm_scope(realm_a), pytest.raises((NotFound, PermissionDenied)):
        unlink_identity(as_user_a, user_id=other.pk, provider_id=provider.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        unlink_identity(as_owner_b, user_id=other.pk, provider_id=provider.pk)
    with realm_scope(realm_a):
        unlink_identity(as_owner_a, user_id=other.pk, provider_id=provider.pk)
    assert not SocialAccount.objects.exists()


def test_no_owner_is_locked_out_by_closing_a_provider(
    realm_a: Realm, as_owner_a: Actor, owner_a: User, fake: FakeProvider
) -> None:
    from identity.kernel.errors import Conflict
    from identity.signin.commands import close_provider, remove_provider

    provider = add(as_owner_a, fake)
    link(provider, owner_a)
    with realm_scope(realm_a):
        User.objects.filter(pk=owner_a.pk).update(password="!")
        with pytest.raises(Conflict) as refusal:
            close_provider(actor_of(owner_a), provider_id=provider.pk)
        assert refusal.value.reason == "nobody_left"
        with pytest.raises(Conflict):
            remove_provider(actor_of(owner_a), provider_id=provider.pk, typed_alias="corp")
        assert IdentityProvider.objects.get().enabled


def test_a_domain_of_another_alphabet_leads_to_its_provider(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    provider = add(as_owner_a, fake, domains=["München.example"])
    assert provider.domains == ["xn--mnchen-3ya.example"]
    client = RealmClient(realm_a)
    for typed in ("dana@münchen.example", "dana@MÜNCHEN.example.", "dana@xn--mnchen-3ya.example"):
        assert "Corp ID" in client.post("/signin", {"login": typed}).content.decode(), typed


@pytest.mark.parametrize("template", ["identity_linked", "identity_unlinked"])
def test_the_mails_name_the_provider_as_text(template: str, realm_a: Realm) -> None:
    context = {
        "name": "Dana",
        "email": "dana@example.com",
        "provider": "Corp <b>ID</b>",
        "reset_url": "https://x.example",
    }
    with realm_scope(realm_a):
        found = render(realm_a, "email", template, context, "en")
    assert "Realm A" in found.subject
    assert "Corp <b>ID</b>" in found.text
    assert "<b>ID" not in found.html
