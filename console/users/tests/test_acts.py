"""Acts on people: what they change, what they say, who may not."""

import pytest

from conftest import PASSWORD, make_user
from identity.access.commands import create_role
from identity.access.queries import find_role, roles_of_user
from identity.accounts.models import Invitation, User
from identity.audit.models import AuditEvent
from identity.courier.models import Message
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db


def uid(user):
    return public_id("user", user.pk)


def page(user, rest=""):
    return f"/console/users/{uid(user)}{rest}"


def said(realm, type_):
    return AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("-id").first()


def fresh(user, realm):
    with realm_scope(realm):
        return User.objects.get(pk=user.pk)


POSTS = [
    "/end-sessions", "/reset-link", "/lock", "/unlock", "/disable", "/enable", "/delete", "/roles/give",
    "/invite-again", "/withdraw-invitation", "/edit/profile", "/edit/email", "/edit/identifiers",
]  # fmt: skip


def test_ac_04_without_the_permission_nothing_is_done(as_role, realm_a, user_a):
    auditor = as_role("Auditor")
    before = fresh(user_a, realm_a).__dict__ | {"_state": None}
    events = AuditEvent.objects.filter(realm_id=realm_a.pk).exclude(type="access.denied").count()
    for path in POSTS:
        response = auditor.post(page(user_a, path), {"confirm": "dana@example.com", "minutes": "60"})
        assert response.status_code == 403, path
        assert fresh(user_a, realm_a).__dict__ | {"_state": None} == before, path
    assert AuditEvent.objects.filter(realm_id=realm_a.pk).exclude(type="access.denied").count() == events


def test_ti_02_ti_08_another_realms_person_is_out_of_reach(as_owner, realm_b, user_b):
    before = AuditEvent.objects.filter(realm_id=realm_b.pk).count()
    data = {"confirm": "dana@example.com", "minutes": "60"}
    for path in POSTS:
        for headers in ({}, {"HX-Request": "true"}):
            assert as_owner.post(page(user_b, path), data, headers=headers).status_code == 404, path
    assert AuditEvent.objects.filter(realm_id=realm_b.pk).count() == before
    assert fresh(user_b, realm_b).status == "active"


def test_acts_without_a_question_are_post_only(as_owner, user_a):
    for path in ("/unlock", "/enable", "/invite-again", "/withdraw-invitation", "/edit/profile"):
        assert as_owner.get(page(user_a, path)).status_code == 405, path


def test_csrf_is_asked_for(realm_a, owner_a, user_a):
    client = RealmClient(realm_a, enforce_csrf_checks=True).sign_in(owner_a)
    assert client.post(page(user_a, "/disable")).status_code == 403
    assert fresh(user_a, realm_a).status == "active"


def test_disabling_says_what_it_hits_and_enabling_undoes_it(as_owner, realm_a, user_a):
    theirs = RealmClient(realm_a).sign_in(user_a)
    assert theirs.get("/account/").status_code == 200
    dialog = as_owner.get(page(user_a, "/disable")).content.decode()
    assert "End sessions" in dialog
    assert "Access tokens already issued last up to 15 min." in dialog
    response = as_owner.post(page(user_a, "/disable"), {"reason": "Left the company"})
    assert response.status_code == 302
    assert fresh(user_a, realm_a).status == "disabled"
    assert theirs.get("/account/").status_code == 302
    assert said(realm_a, "user.disabled").target_id == user_a.pk
    assert "Left the company" not in str(said(realm_a, "user.disabled").payload)
    assert "Sign-ins are refused until" in as_owner.get(page(user_a)).content.decode()
    as_owner.post(page(user_a, "/enable"))
    assert fresh(user_a, realm_a).status == "active"


def test_the_result_links_to_the_trail(as_owner, user_a):
    text = as_owner.post(page(user_a, "/disable"), follow=True).content.decode()
    assert "is disabled." in text
    assert f"/console/audit?target={uid(user_a)}" in text
    assert as_owner.get(f"/console/audit?target={uid(user_a)}").status_code == 200


def test_htmx_leaves_the_dialog_by_a_page_load(as_owner, user_a):
    response = as_owner.post(page(user_a, "/lock"), {"minutes": "60"}, headers={"HX-Request": "true"})
    assert response["HX-Redirect"].endswith(page(user_a))


@pytest.mark.parametrize(("minutes", "ends"), [("60", True), ("0", False)])
def test_locking_ends_by_itself_or_by_unlocking(as_owner, realm_a, user_a, minutes, ends):
    as_owner.post(page(user_a, "/lock"), {"minutes": minutes, "reason": "odd sign-ins"})
    user = fresh(user_a, realm_a)
    assert user.status == "locked"
    assert (user.locked_until is not None) is ends
    as_owner.post(page(user_a, "/unlock"))
    assert fresh(user_a, realm_a).status == "active"


def test_a_lock_of_another_length_is_refused(as_owner, realm_a, user_a):
    for minutes in ("-1", "5", "x", ""):
        assert as_owner.post(page(user_a, "/lock"), {"minutes": minutes}).status_code == 422, minutes
    assert fresh(user_a, realm_a).status == "active"


def test_deleting_needs_the_typed_name(as_owner, realm_a, user_a):
    response = as_owner.post(page(user_a, "/delete"), {"confirm": "Dana"})
    assert response.status_code == 422
    assert fresh(user_a, realm_a)
    response = as_owner.post(page(user_a, "/delete"), {"confirm": "dana@example.com"})
    assert response["Location"].endswith("/console/users")
    with realm_scope(realm_a):
        assert not User.objects.filter(pk=user_a.pk).exists()
    assert said(realm_a, "user.deleted").target_id == user_a.pk
    assert as_owner.get(page(user_a)).status_code == 404


def test_the_softer_way_disables_from_the_same_dialog(as_owner, realm_a, user_a):
    assert page(user_a, "/disable") in as_owner.get(page(user_a, "/delete")).content.decode()
    as_owner.post(page(user_a, "/disable"), {"confirm": ""})
    assert fresh(user_a, realm_a).status == "disabled"


def test_ac_08_the_last_owner_stays_and_the_dialog_says_why(realm_a, owner_a):
    admin = RealmClient(realm_a).sign_in(make_user(realm_a, "second@example.com", role="Owner", name="Sam Second"))
    assert admin.post(page(owner_a, "/disable")).status_code == 302
    sole = make_user(realm_a, "third@example.com", role="Admin")
    with realm_scope(realm_a):
        second = User.objects.get(email="second@example.com")
        assert [r.name for r in roles_of_user(second.pk)] == ["Owner"]
    response = RealmClient(realm_a).sign_in(sole).post(page(second, "/disable"))
    assert response.status_code == 403
    response = admin.post(page(second, "/disable"))
    assert response.status_code == 409
    assert "your own account" in response.content.decode()


def test_ending_all_sessions_spares_the_admins_own(as_owner, realm_a, owner_a, user_a):
    other = RealmClient(realm_a).sign_in(owner_a)
    theirs = RealmClient(realm_a).sign_in(user_a)
    assert as_owner.post(page(owner_a, "/end-sessions")).status_code == 302
    assert as_owner.get("/console/users").status_code == 200
    assert other.get("/console/users").status_code == 302
    as_owner.post(page(user_a, "/end-sessions"))
    assert theirs.get("/account/").status_code == 302
    assert said(realm_a, "session.ended").payload["user_id"] == str(user_a.pk)


def test_a_reset_link_goes_out_and_is_never_shown(as_owner, realm_a, user_a):
    response = as_owner.post(page(user_a, "/reset-link"), follow=True)
    assert "is on its way to dana@example.com" in response.content.decode()
    with realm_scope(realm_a):
        assert Message.objects.filter(template="reset_password").count() == 1
    assert said(realm_a, "password.reset_requested").target_id == user_a.pk


def test_inviting_gives_roles_and_mails_a_link(as_owner, realm_a):
    with realm_scope(realm_a):
        auditor = public_id("role", find_role("console", "Auditor").pk)
    response = as_owner.post(
        "/console/users/invite", {"email": "New@Example.com", "name": "New Nora", "roles": [auditor]}
    )
    assert response.status_code == 302
    with realm_scope(realm_a):
        user = User.objects.get(email="new@example.com")
        assert [role.name for role in roles_of_user(user.pk)] == ["Auditor"]
        assert Invitation.objects.filter(user=user).count() == 1
    text = as_owner.get(page(user)).content.decode()
    assert "Invited" in text
    as_owner.post(page(user, "/invite-again"))
    as_owner.post(page(user, "/withdraw-invitation"))
    assert said(realm_a, "invitation.revoked").target_id == user.pk
    response = as_owner.post(page(user, "/withdraw-invitation"), follow=True)
    assert "no invitation that waits" in response.content.decode()


def test_an_invitation_that_cannot_go_out_says_why(as_owner, user_a):
    for email in ("dana@example.com", "nonsense"):
        response = as_owner.post("/console/users/invite", {"email": email})
        assert response.status_code == 422, email
        assert 'aria-invalid="true"' in response.content.decode(), email


def test_ac_02_nobody_invites_to_more_than_he_holds(as_role, realm_a):
    with realm_scope(realm_a):
        owner = public_id("role", find_role("console", "Owner").pk)
    for role, status in (("Help desk", 302), ("Admin", 422)):
        client, email = as_role(role), f"friend.of.{role[:4]}@example.com".lower()
        assert owner not in client.get("/console/users/invite").content.decode()
        response = client.post("/console/users/invite", {"email": email, "roles": [owner]})
        # A help desk gives no roles at all, so its form has no such field; an admin's form has it, without the owner.
        assert response.status_code == status
        with realm_scope(realm_a):
            user = User.objects.filter(email=email).first()
            assert user is None or roles_of_user(user.pk) == []


def test_creating_an_account_with_a_password(as_owner, realm_a):
    response = as_owner.post(
        "/console/users/new",
        {"name": "Peter Phone", "phone": "+49 30 901820", "username": "peter", "password": PASSWORD},
    )
    assert response.status_code == 302
    with realm_scope(realm_a):
        user = User.objects.get(username="peter")
        assert (user.phone, user.email) == ("+4930901820", None)
        assert user.check_password(PASSWORD)
    assert as_owner.get(page(user)).status_code == 200


def test_an_account_that_cannot_be_says_why(as_owner, user_a):
    cases = {
        "nothing": {},
        "taken": {"email": "dana@example.com"},
        "weak": {"email": "x@example.com", "password": "short"},
        "malformed": {"phone": "12"},
    }
    for name, data in cases.items():
        response = as_owner.post("/console/users/new", data)
        assert response.status_code == 422, name
        assert 'aria-invalid="true"' in response.content.decode(), name


def test_ac_01_undeclared_fields_change_nothing(as_owner, realm_a):
    as_owner.post(
        "/console/users/new",
        {
            "email": "x@example.com",
            "is_superuser": "1",
            "is_staff": "1",
            "realm": "1",
            "status": "disabled",
            "key": "k",
            "user_permissions": "1",
            "groups": "1",
        },
    )
    with realm_scope(realm_a):
        user = User.objects.get(email="x@example.com")
        assert (user.is_superuser, user.status, user.realm_id, user.key) == (False, "active", realm_a.pk, None)
        assert roles_of_user(user.pk) == []


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "region"])
def test_each_section_of_the_edit_page_saves_itself(as_owner, realm_a, user_a, headers):
    response = as_owner.post(
        page(user_a, "/edit/profile"),
        {"profile-name": "Dana O.", "profile-time_zone": "Europe/Berlin"},
        headers=headers,
    )
    assert response.status_code == (200 if headers else 302)
    user = fresh(user_a, realm_a)
    assert (user.name, user.time_zone) == ("Dana O.", "Europe/Berlin")
    as_owner.post(page(user_a, "/edit/identifiers"), {"identifiers-username": "dana"}, headers=headers)
    assert fresh(user_a, realm_a).username == "dana"
    response = as_owner.post(page(user_a, "/edit/identifiers"), {"identifiers-phone": "12"}, headers=headers)
    assert response.status_code == 422
    assert ("<html" in response.content.decode()) is not bool(headers)


def test_a_new_address_never_inherits_the_old_ones_proof(as_owner, realm_a, user_a):
    assert fresh(user_a, realm_a).email_verified
    as_owner.post(page(user_a, "/edit/email"), {"email-email": "dana@example.com"})
    assert fresh(user_a, realm_a).email_verified, "an unchanged address stays proven"
    as_owner.post(page(user_a, "/edit/email"), {"email-email": "dana.new@example.com"})
    user = fresh(user_a, realm_a)
    assert user.email == "dana.new@example.com"
    assert not user.email_verified
    as_owner.post(page(user_a, "/edit/email"), {"email-email": "dana.new@example.com", "email-verified": "on"})
    assert fresh(user_a, realm_a).email_verified


def test_ac_02_a_help_desk_does_not_edit_people_above_it(as_role, realm_a, owner_a):
    desk = as_role("Help desk")
    response = desk.post(page(owner_a, "/edit/email"), {"email-email": "mine@example.com", "email-verified": "on"})
    assert response.status_code == 403
    assert fresh(owner_a, realm_a).email == "owner@example.com"


def test_an_unknown_section_is_not_there(as_owner, user_a):
    assert as_owner.post(page(user_a, "/edit/password"), {"password-password": "x"}).status_code == 404


def test_giving_a_role_on_the_persons_page(as_owner, as_owner_a, realm_a, user_a):
    with realm_scope(realm_a):
        buyer = create_role(as_owner_a, kind="application", name="buyer")
    dialog = as_owner.get(page(user_a, "/roles/give")).content.decode()
    assert "buyer" in dialog
    assert as_owner.post(page(user_a, "/roles/give"), {"role": ""}).status_code == 422
    as_owner.post(page(user_a, "/roles/give"), {"role": public_id("role", buyer.pk)})
    with realm_scope(realm_a):
        assert [role.name for role in roles_of_user(user_a.pk)] == ["buyer"]
    assert "buyer" in as_owner.get(page(user_a, "/access")).content.decode()


def test_ac_02_an_admin_is_not_offered_the_role_owner(as_role, realm_a, user_a):
    admin = as_role("Admin")
    with realm_scope(realm_a):
        owner = public_id("role", find_role("console", "Owner").pk)
    assert owner not in admin.get(page(user_a, "/roles/give")).content.decode()
    assert admin.post(page(user_a, "/roles/give"), {"role": owner}).status_code == 422
    with realm_scope(realm_a):
        assert roles_of_user(user_a.pk) == []


def test_a_selection_of_people_is_disabled_and_exceptions_are_named(as_owner, realm_a, owner_a, user_a):
    ids = [uid(user_a), uid(owner_a)]
    assert "2 accounts" in as_owner.get("/console/users/disable", {"ids": ids}).content.decode()
    text = as_owner.post("/console/users/disable", {"ids": ids}, follow=True).content.decode()
    assert "1 account is disabled." in text
    assert "own account" in text
    assert fresh(user_a, realm_a).status == "disabled"
    assert fresh(owner_a, realm_a).status == "active"


@pytest.mark.parametrize("act", ["disable", "end-sessions"])
def test_ti_04_a_foreign_id_refuses_the_whole_selection(as_owner, realm_a, realm_b, user_a, user_b, act):
    ids = [uid(user_a), uid(user_b)]
    RealmClient(realm_a).sign_in(user_a)
    RealmClient(realm_b).sign_in(user_b)
    for ask in (as_owner.get, as_owner.post):
        assert ask(f"/console/users/{act}", {"ids": ids, "select_across": "1"}).status_code == 404
    assert fresh(user_a, realm_a).status == fresh(user_b, realm_b).status == "active"
    for realm, user in ((realm_a, user_a), (realm_b, user_b)):
        with realm_scope(realm):
            assert Session.objects.filter(user=user, status="active").count() == 1


def test_ending_the_sessions_of_a_selection(as_owner, realm_a, user_a):
    RealmClient(realm_a).sign_in(user_a)
    RealmClient(realm_a).sign_in(user_a)
    dialog = as_owner.get("/console/users/end-sessions", {"ids": [uid(user_a)]}).content.decode()
    assert "End 2 sessions" in dialog
    text = as_owner.post("/console/users/end-sessions", {"ids": [uid(user_a)]}, follow=True).content.decode()
    assert "2 sessions ended." in text


def test_an_empty_selection_goes_back_to_the_list(as_owner):
    assert as_owner.get("/console/users/disable").status_code == 302


def test_ac_07_a_demoted_admin_is_out_at_the_next_page(as_owner, realm_a, user_a):
    with realm_scope(realm_a):
        role = find_role("console", "Help desk")
    client = RealmClient(realm_a).sign_in(user_a)
    assert client.get("/console/users").status_code == 403
    as_owner.post(page(user_a, "/roles/give"), {"role": public_id("role", role.pk)})
    assert client.get("/console/users").status_code == 200
    as_owner.post(f"/console/roles/{public_id('role', role.pk)}/take/{uid(user_a)}")
    assert client.get("/console/users").status_code == 403
