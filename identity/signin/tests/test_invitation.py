"""Invitations: one use, one address, one realm, a week."""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from allauth.mfa.models import Authenticator

from conftest import actor_of, make_user
from identity.access.models import Role
from identity.accounts.commands import (
    accept_invitation,
    change_email,
    disable_user,
    invite_user,
    resend_invitation,
    revoke_invitation,
    send_password_reset_link,
    use_reset_link,
)
from identity.accounts.models import Invitation, User
from identity.accounts.queries import find_invitations, find_users, open_invitation_of
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.ids import public_id
from identity.mfa.models import AuthenticatorDevice
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]


@pytest.fixture
def invited(realm_a: Realm, as_owner_a: Actor) -> Invitation:
    with realm_scope(realm_a):
        return invite_user(as_owner_a, email="Kim@Example.com", name="Kim Park")


def link(realm: Realm) -> str:
    return path_of(mails(realm)[-1].links[0])


def test_the_link_lets_the_person_in_with_a_first_password(
    realm_a: Realm, invited: Invitation, as_owner_a: Actor, events: Events
) -> None:
    (mail,) = mails(realm_a)
    assert (mail.to, "Olivia Owner" in mail.text) == ("kim@example.com", True)
    with realm_scope(realm_a):
        assert [user.email for user in find_users(as_owner_a, status="invited")] == ["kim@example.com"]
        assert open_invitation_of(as_owner_a, user_id=invited.user_id) == invited
    client = RealmClient(realm_a)
    page = client.get(link(realm_a))
    assert page.status_code == 200
    assert "name" not in page.context["form"].fields
    done = client.post(link(realm_a), {"password1": PASSWORD})
    assert done["Location"] == "/realms/a/account/"
    assert client.get("/account/").status_code == 200
    with realm_scope(realm_a):
        user = User.objects.get(email="kim@example.com")
        assert Session.objects.get(user=user).amr == ["pwd"]
        assert not find_users(as_owner_a, status="invited").exists()
    assert user.email_verified
    for type_ in ("user.invited", "invitation.accepted", "signin.succeeded"):
        assert events(realm_a, type_)[0].row.target_id == user.pk


def test_the_link_works_once(realm_a: Realm, invited: Invitation) -> None:
    path = link(realm_a)
    RealmClient(realm_a).post(path, {"password1": PASSWORD})
    other = RealmClient(realm_a)
    assert other.get(path).status_code == 410
    assert other.post(path, {"password1": "another good phrase"}).status_code == 410
    assert other.get("/account/").status_code == 302


def test_two_uses_at_the_same_moment_are_one(realm_a: Realm, invited: Invitation) -> None:
    token = link(realm_a).rsplit("/", 1)[1]
    actor = anonymous_actor(realm_a.pk)
    with realm_scope(realm_a):
        hash_it = __import__("identity.accounts.commands.passwords", fromlist=["x"]).checked_hash_of
        raced: list[bool] = []

        def overtaken(user: User, *, password: str) -> str:
            if not raced:
                raced.append(True)
                accept_invitation(actor, token=token, password="the faster phrase")
            return str(hash_it(user, password=password))

        with patch("identity.accounts.commands.invitations.checked_hash_of", overtaken), pytest.raises(NotFound):
            accept_invitation(actor, token=token, password=PASSWORD)
        assert User.objects.get(pk=invited.user_id).check_password("the faster phrase")


def test_the_link_ends(realm_a: Realm, invited: Invitation, as_owner_a: Actor) -> None:
    path = link(realm_a)
    with clock.clock_at(clock.now() + timedelta(days=7, minutes=1)):
        assert RealmClient(realm_a).get(path).status_code == 410
    with realm_scope(realm_a):
        change_email(as_owner_a, user_id=invited.user_id, email="kim2@example.com")
    assert RealmClient(realm_a).post(path, {"password1": PASSWORD}).status_code == 410
    with realm_scope(realm_a):
        change_email(as_owner_a, user_id=invited.user_id, email="kim@example.com")
        disable_user(as_owner_a, user_id=invited.user_id)
    assert RealmClient(realm_a).post(path, {"password1": PASSWORD}).status_code == 410


def test_ti_01_the_link_opens_nothing_in_another_realm(realm_a: Realm, invited: Invitation, realm_b: Realm) -> None:
    path = link(realm_a).replace("/realms/a/", "/realms/b/")
    assert RealmClient(realm_b).get(path).status_code == 410
    assert RealmClient(realm_b).post(path, {"password1": PASSWORD}).status_code == 410


def test_a_new_link_replaces_the_old_and_withdrawing_ends_both(
    realm_a: Realm, invited: Invitation, as_owner_a: Actor, events: Events
) -> None:
    first = link(realm_a)
    with realm_scope(realm_a):
        resend_invitation(as_owner_a, user_id=invited.user_id)
    second = link(realm_a)
    assert (RealmClient(realm_a).get(first).status_code, RealmClient(realm_a).get(second).status_code) == (410, 200)
    with realm_scope(realm_a):
        revoke_invitation(as_owner_a, user_id=invited.user_id)
        with pytest.raises(Conflict):
            revoke_invitation(as_owner_a, user_id=invited.user_id)
    assert RealmClient(realm_a).get(second).status_code == 410
    assert [said.row.payload["again"] for said in events(realm_a, "user.invited")] == [False, True]
    assert len(events(realm_a, "invitation.revoked")) == 1
    with realm_scope(realm_a):
        invite_user(as_owner_a, email="kim@example.com")
        assert find_invitations(as_owner_a, user_id=invited.user_id).count() == 3
    assert RealmClient(realm_a).get(link(realm_a)).status_code == 200


def test_who_has_a_password_or_was_never_invited_is_not_invited(
    realm_a: Realm, user_a: User, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a):
        with pytest.raises(Invalid) as refused:
            invite_user(as_owner_a, email="dana@example.com")
        assert refused.value.reason == "email_taken"
        with pytest.raises(Conflict):
            resend_invitation(as_owner_a, user_id=user_a.pk)


def test_an_invitation_can_bring_roles_that_the_inviter_may_give(realm_a: Realm, as_owner_a: Actor) -> None:
    desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
    with realm_scope(realm_a):
        auditor = Role.objects.get(name="Auditor")
        made = invite_user(as_owner_a, email="kim@example.com", role_ids=[auditor.pk])
        assert made.user.role_assignments.get().role_id == auditor.pk
        with pytest.raises(PermissionDenied):
            invite_user(desk, email="lee@example.com", role_ids=[auditor.pk])
        assert not User.objects.filter(email="lee@example.com").exists()
        invite_user(desk, email="lee@example.com")


def test_who_lacks_the_permission_invites_nobody(realm_a: Realm, invited: Invitation, as_user_a: Actor) -> None:
    with realm_scope(realm_a):
        for act in (
            lambda: invite_user(as_user_a, email="lee@example.com"),
            lambda: resend_invitation(as_user_a, user_id=invited.user_id),
            lambda: revoke_invitation(as_user_a, user_id=invited.user_id),
        ):
            with pytest.raises(PermissionDenied):
                act()


def test_ti_02_an_invitation_of_another_realm_is_not_there(
    realm_a: Realm, invited: Invitation, realm_b: Realm, as_owner_b: Actor
) -> None:
    with realm_scope(realm_b):
        for act in (resend_invitation, revoke_invitation):
            with pytest.raises(NotFound):
                act(as_owner_b, user_id=invited.user_id)


def test_dp_08_the_token_is_stored_nowhere(realm_a: Realm, invited: Invitation) -> None:
    token = link(realm_a).rsplit("/", 1)[1]
    assert token.encode() not in bytes(invited.token_hash)
    assert len(invited.token_hash) == 33
    assert system_actor(realm_a.pk)


# --- where nobody signs in with a password ---


def without_passwords(realm: Realm, **settings: bool) -> None:
    wanted = {"password_sign_in": False, "email_code_sign_in": False, "passkey_sign_in": False, **settings}
    Realm.objects.filter(pk=realm.pk).update(settings={**realm.settings, **wanted})


@pytest.mark.parametrize(
    ("way", "to"),
    [
        ("email_code_sign_in", "/realms/a/account/"),
        ("passkey_sign_in", "/realms/a/account/factors/add/passkey"),
        ("", "/realms/a/account/security"),
    ],
)
def test_lg_07_without_passwords_the_link_leads_to_the_way_in_that_there_is(
    way: str, to: str, realm_a: Realm, invited: Invitation
) -> None:
    without_passwords(realm_a, **({way: True} if way else {}))
    client = RealmClient(realm_a)
    page = client.get(link(realm_a))
    assert "password1" not in page.context["form"].fields
    assert 'type="password"' not in page.text
    done = client.post(link(realm_a), {"password1": PASSWORD})
    assert done["Location"] == to
    assert client.get(to).status_code == 200
    with realm_scope(realm_a):
        user = User.objects.get(email="kim@example.com")
        assert (user.email_verified, user.has_usable_password()) == (True, False)
        assert Session.objects.get(user=user).amr == ["otp"]
    # Used up with the first way in; a code to the address is one at once.
    assert RealmClient(realm_a).get(link(realm_a)).status_code == (410 if way == "email_code_sign_in" else 200)


@pytest.fixture
def left(realm_a: Realm, invited: Invitation) -> RealmClient:
    """The link was taken where only passkeys let people in, and the page that adds one was left."""
    without_passwords(realm_a, passkey_sign_in=True)
    client = RealmClient(realm_a)
    client.post(link(realm_a))
    return client


def test_lg_07_an_invitation_that_was_left_before_there_is_a_way_in_is_taken_up_again(
    realm_a: Realm, invited: Invitation, left: RealmClient, events: Events
) -> None:
    path, other = link(realm_a), RealmClient(realm_a)
    assert "add a passkey" in other.get(path).text
    assert left.get("/account/").status_code == 200, "looking does nothing"
    assert other.post(path)["Location"] == "/realms/a/account/factors/add/passkey"
    assert other.get("/account/").status_code == 200
    assert left.get("/account/").status_code == 302, "who came first is out"
    (said,) = events(realm_a, "invitation.resumed")
    assert (said.row.target_id, said.row.payload["sessions_ended"]) == (invited.user_id, 1)
    # In the browser that is signed in, too.
    assert other.post(path)["Location"] == "/realms/a/account/factors/add/passkey"
    assert other.get("/account/").status_code == 200


@pytest.mark.parametrize("since", ["passkey", "expired", "another address", "disabled", "newer", "passwords", "realm"])
def test_lg_07_nothing_is_taken_up_again_once_it_is_used_up(
    since: str, realm_a: Realm, invited: Invitation, left: RealmClient, realm_b: Realm
) -> None:
    path, user_id, now = link(realm_a), invited.user_id, clock.now()
    with realm_scope(realm_a):
        user = User.objects.get(pk=user_id)
        match since:
            case "passkey":
                Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
                device = Authenticator.objects.get()
                AuthenticatorDevice.objects.create(user=user, kind="passkey", name="p", authenticator=device)
            case "expired":
                Invitation.objects.update(expires_at=now)
            case "another address":
                User.objects.filter(pk=user_id).update(email="kim.new@example.com")
            case "disabled":
                User.objects.filter(pk=user_id).update(status="disabled")
            case "newer":
                Invitation.objects.create(
                    realm_id=realm_a.pk, user=user, email=user.email, token_hash=b"x" * 33,
                    created_at=now, expires_at=now,
                )  # fmt: skip
            case "passwords":
                Realm.objects.filter(pk=realm_a.pk).update(settings={**realm_a.settings, "password_sign_in": True})
    other = RealmClient(realm_b if since == "realm" else realm_a)
    path = path.replace("/realms/a/", "/realms/b/") if since == "realm" else path
    assert other.get(path).status_code == 410
    assert other.post(path).status_code == 410
    assert other.get("/account/").status_code == 302


def test_lg_08_without_passwords_no_link_to_choose_one_goes_out_or_works(
    realm_a: Realm, user_a: User, as_owner_a: Actor, owner_a: User
) -> None:
    RealmClient(realm_a).post("/password/reset", {"email": "dana@example.com"})
    before = mails(realm_a)
    (path,) = [path_of(mail.links[0]) for mail in before]
    RealmClient(realm_a).post("/password/reset", {"email": "dana@example.com"})
    without_passwords(realm_a, email_code_sign_in=True)
    assert len(mails(realm_a)) == len(before), "nor one that was asked for before"
    for email in ("dana@example.com", "nobody@example.com"):
        answer = RealmClient(realm_a).post("/password/reset", {"email": email})
        assert (answer.status_code, answer["Location"]) == (302, "/realms/a/signin")
    assert RealmClient(realm_a).post(path, {"password1": "another good phrase"})["Location"] == "/realms/a/signin"
    with realm_scope(realm_a):
        with pytest.raises(Conflict) as refused:
            use_reset_link(
                anonymous_actor(realm_a.pk),
                user_id=user_a.pk,
                token=path.rpartition(user_a.pk.hex + "-")[2],
                password="another good phrase",
            )
        assert refused.value.reason == "link_used"
        with pytest.raises(Conflict) as refused:
            send_password_reset_link(as_owner_a, user_id=user_a.pk)
        assert refused.value.reason == "passwords_off"
    console = RealmClient(realm_a).sign_in(owner_a)
    assert "reset-link" not in console.get(f"/console/users/{public_id('user', user_a.pk)}").text
    assert len(mails(realm_a)) == len(before)
