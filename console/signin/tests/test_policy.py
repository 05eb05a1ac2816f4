"""Cards of policy: saved by themselves, with a warning first, and never so that nobody is left."""

import pytest

from conftest import PASSWORD, make_user
from identity.access.models import Role
from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict
from identity.kernel.ids import public_id
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.commands import change_sign_in_policy

HTMX = {"HTTP_HX_REQUEST": "true"}
WAYS = {"card": "ways", "password_sign_in": "on"}
SIGN_UP = {
    "card": "sign-up",
    "sign_up_open": "on",
    "sign_up_identifiers": ["email"],
    "email_verification_required": "on",
    "phone_verification_required": "on",
    "bot_protection": "off",
}


@pytest.fixture
def owner(realm_a: Realm, owner_a: User) -> RealmClient:
    """A's owner in a browser."""
    return RealmClient(realm_a).sign_in(owner_a)


def stored(realm: Realm) -> Realm:
    return Realm.objects.get(pk=realm.pk)


def changes(realm: Realm) -> list[dict[str, object]]:
    rows = AuditEvent.objects.filter(realm_id=realm.pk, type="realm.settings_changed").order_by("id")
    return [row.payload["changes"] for row in rows]


def test_the_page_shows_every_card_whole_and_as_a_region(owner: RealmClient) -> None:
    whole, region = owner.get("/console/sign-in"), owner.get("/console/sign-in", **HTMX)
    assert whole.status_code == region.status_code == 200
    assert 'id="section-ways"' in whole.text
    assert 'id="section-sign-up"' in whole.text
    assert "<html" not in region.text


def test_a_card_saves_itself_and_says_so(owner: RealmClient, realm_a: Realm, realm_b: Realm) -> None:
    answer = owner.post("/console/sign-in", {**WAYS, "email_code_sign_in": "on"}, **HTMX)
    assert answer.status_code == 200
    assert "Saved." in answer.text
    assert stored(realm_a).setting("email_code_sign_in") is True
    assert stored(realm_b).setting("email_code_sign_in") is False
    assert changes(realm_a) == [{"email_code_sign_in": [False, True]}]


def test_lists_are_saved_as_lists_and_bad_words_name_the_field(owner: RealmClient, realm_a: Realm) -> None:
    sent = {**SIGN_UP, "sign_up_domains_allowed": "Acme.example\n\npartner.example\n"}
    assert owner.post("/console/sign-in", sent, **HTMX).status_code == 200
    assert stored(realm_a).setting("sign_up_domains_allowed") == ["acme.example", "partner.example"]
    refused = owner.post("/console/sign-in", {**SIGN_UP, "sign_up_domains_blocked": "no domain"}, **HTMX)
    assert refused.status_code == 422
    assert "no domain" in refused.text
    assert stored(realm_a).setting("sign_up_domains_blocked") == []


def test_a_change_says_whom_it_hits_and_is_saved_when_that_was_seen(
    owner: RealmClient, realm_a: Realm, owner_a: User, user_a: User
) -> None:
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(email_verified_at=None)
    assert owner.post("/console/sign-in", {**SIGN_UP, "email_verification_required": ""}, **HTMX).status_code == 200
    asked = owner.post("/console/sign-in", SIGN_UP, **HTMX)
    assert asked.status_code == 422
    assert "1 person has to confirm the email address" in asked.text
    assert stored(realm_a).setting("email_verification_required") is False
    seen = {**SIGN_UP, "seen_hits": "must_verify_email:1"}
    assert owner.post("/console/sign-in", seen, **HTMX).status_code == 200
    assert stored(realm_a).setting("email_verification_required") is True


def test_a_number_that_grew_meanwhile_is_shown_again(owner: RealmClient, realm_a: Realm, user_a: User) -> None:
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(email_verified_at=None)
    owner.post("/console/sign-in", {**SIGN_UP, "email_verification_required": ""}, **HTMX)
    other = make_user(realm_a, "late@example.com")
    with realm_scope(realm_a):
        User.objects.filter(pk=other.pk).update(email_verified_at=None)
    asked = owner.post("/console/sign-in", {**SIGN_UP, "seen_hits": "must_verify_email:1"}, **HTMX)
    assert asked.status_code == 422
    assert "2 people have to confirm" in asked.text


def test_a_policy_that_leaves_no_owner_a_way_in_is_refused(owner: RealmClient, realm_a: Realm, owner_a: User) -> None:
    leads_nowhere = owner.post("/console/sign-in", {"card": "ways"}, **HTMX)
    assert leads_nowhere.status_code == 422
    assert "Nobody could sign in with what sign-up asks for" in leads_nowhere.text
    Realm.objects.filter(pk=realm_a.pk).update(settings={**realm_a.settings, "sign_up_open": False})
    asked = owner.post("/console/sign-in", {"card": "ways"}, **HTMX)
    assert asked.status_code == 422
    assert "1 person has no other way in" in asked.text
    assert f"/console/users/{public_id('user', owner_a.pk)}" in asked.text
    refused = owner.post("/console/sign-in", {"card": "ways", "seen_hits": "locked_out:1"}, **HTMX)
    assert refused.status_code == 409
    assert "No owner of this realm could sign in any more" in refused.text
    assert stored(realm_a).setting("password_sign_in") is True
    assert changes(realm_a) == []
    assert RealmClient(realm_a).post("/signin", {"login": owner_a.email, "password": PASSWORD}).status_code == 302


def test_owners_who_keep_another_way_in_allow_it(owner: RealmClient, realm_a: Realm, owner_a: User) -> None:
    sent = {"card": "ways", "email_code_sign_in": "on"}
    assert owner.post("/console/sign-in", sent, **HTMX).status_code == 200
    assert stored(realm_a).setting("password_sign_in") is False


def test_a_stale_card_overwrites_nothing(owner: RealmClient, realm_a: Realm) -> None:
    version = str(stored(realm_a).version)
    owner.post("/console/sign-in", {**WAYS, "passkey_sign_in": "on", "version": version}, **HTMX)
    answer = owner.post("/console/sign-in", {**WAYS, "version": version}, **HTMX)
    assert answer.status_code == 409
    assert stored(realm_a).setting("passkey_sign_in") is True


def test_one_who_may_only_read_sees_the_policy_and_changes_none(realm_a: Realm) -> None:
    client = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    assert "disabled" in client.get("/console/sign-in").text
    assert client.post("/console/sign-in", WAYS).status_code == 403
    assert changes(realm_a) == []
    helper = RealmClient(realm_a).sign_in(make_user(realm_a, "help@example.com", role="Help desk"))
    assert helper.get("/console/sign-in").status_code == 403


def test_unknown_cards_are_refused(owner: RealmClient) -> None:
    assert owner.post("/console/sign-in", {"card": "nothing"}).status_code == 404


def test_the_preview_shows_what_is_not_saved_yet_and_saves_nothing(owner: RealmClient, realm_a: Realm) -> None:
    assert "As it is saved." in owner.get("/console/sign-in").text
    answer = owner.post("/console/sign-in/preview", {"username_sign_in": "on", "passkey_sign_in": "on"}, **HTMX)
    assert answer.status_code == 200
    assert "Email or username" in answer.text
    assert "Sign in with a passkey" in answer.text
    assert "With what isn’t saved yet." in answer.text
    assert "Create an account" not in answer.text
    assert not stored(realm_a).setting("passkey_sign_in")
    assert changes(realm_a) == []


def test_the_preview_begins_with_the_number_where_numbers_let_people_in(owner: RealmClient) -> None:
    values = {"phone_first": "on", "sms_code_sign_in": "on"}
    assert "Your phone number" in owner.post("/console/sign-in/preview", values, **HTMX).text
    assert "Your phone number" not in owner.post("/console/sign-in/preview", {"phone_first": "on"}, **HTMX).text


def test_the_preview_of_codes_alone_is_the_page_that_people_see(owner: RealmClient) -> None:
    codes = {"phone_first": "on", "sms_code_sign_in": "on", "email_code_sign_in": "on"}
    drawn = owner.post("/console/sign-in/preview", codes, **HTMX).text
    assert ("Text me a code" in drawn, "6-digit code" in drawn) == (True, True)
    assert ("Continue" in drawn, "Email me a code" in drawn) == (False, False)
    with_password = {**codes, "password_sign_in": "on", "phone_sign_in": "on"}
    drawn = owner.post("/console/sign-in/preview", with_password, **HTMX).text
    assert ("Continue" in drawn, "Email me a code" in drawn, "6-digit code" in drawn) == (True, True, False)


def test_the_preview_is_for_who_may_read_the_settings(realm_a: Realm, user_a: User) -> None:
    assert RealmClient(realm_a).sign_in(user_a).post("/console/sign-in/preview", {}, **HTMX).status_code in (403, 404)


CLOSED = {"password_sign_in": False, "passkey_sign_in": True, "sign_up_open": False}


@pytest.mark.django_db
def test_an_owner_who_is_locked_for_good_is_no_way_back(realm_a: Realm, owner_a: User) -> None:
    other = make_user(realm_a, "second@example.com", role="Owner")
    with realm_scope(realm_a):
        User.objects.filter(pk=other.pk).update(phone="+493012345678", phone_verified_at=clock.now())
        ways = {**CLOSED, "sms_code_sign_in": True}
        User.objects.filter(pk=other.pk).update(status="locked", locked_until=None)
        with pytest.raises(Conflict) as refusal:
            change_sign_in_policy(system_actor(realm_a.pk), changes=ways)
        assert refusal.value.reason == "nobody_left"
        User.objects.filter(pk=other.pk).update(status="active")
        assert change_sign_in_policy(system_actor(realm_a.pk), changes=ways).setting("sms_code_sign_in")


@pytest.mark.django_db
def test_an_owner_whose_role_yields_nothing_is_no_way_back(realm_a: Realm, owner_a: User) -> None:
    other = make_user(realm_a, "second@example.com", role="Owner")
    with realm_scope(realm_a):
        User.objects.filter(pk=other.pk).update(phone="+493012345678", phone_verified_at=clock.now())
        User.objects.filter(pk=other.pk).update(email_verified_at=None)
        Role.objects.filter(built_in=True, name="Owner").update(requirements=["verified_email"])
        with pytest.raises(Conflict):
            change_sign_in_policy(system_actor(realm_a.pk), changes={**CLOSED, "sms_code_sign_in": True})


@pytest.mark.django_db
def test_a_realm_is_set_up_before_its_first_owner_has_come(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        assert change_sign_in_policy(system_actor(realm_a.pk), changes={"passkey_sign_in": True})


def test_a_number_that_no_page_ever_carried_is_no_error_page(owner: RealmClient, realm_a: Realm) -> None:
    endless = "9" * 5000
    for path, sent in (
        ("/console/sign-in", {**WAYS, "version": endless}),
        ("/console/sign-in/second-factor", {"card": "trust", "trusted_device_lifetime": endless}),
        ("/console/settings/lifetimes", {"version": endless}),
    ):
        assert owner.post(path, sent, **HTMX).status_code < 500, path
