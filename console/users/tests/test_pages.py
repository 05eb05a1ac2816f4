"""The list of people and the tabs of one: whole and as regions, for whom, and for whom not."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.access.commands import add_member, assign_role, create_organization, grant_object
from identity.access.queries import find_role
from identity.accounts.commands import disable_user, invite_user, lock_user
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db

TABS = ["", "/access", "/sessions", "/consents", "/activity", "/edit"]
DIALOGS = ["/end-sessions", "/reset-link", "/lock", "/disable", "/delete", "/roles/give"]


def uid(user):
    return public_id("user", user.pk)


def test_the_list_shows_people_with_status_and_roles(as_owner, user_a):
    for htmx in (False, True):
        response = as_owner.get("/console/users", headers={"HX-Request": "true"} if htmx else {})
        text = response.content.decode()
        assert response.status_code == 200
        assert "Dana Okafor" in text
        assert "Olivia Owner" in text
        assert ("<html" in text) is not htmx
        assert "HX-Request" in response["Vary"]


def test_each_tab_and_dialog_is_a_whole_page_and_a_region(as_owner, user_a):
    for path in (*TABS, *DIALOGS):
        for htmx in (False, True):
            headers = {"HX-Request": "true"} if htmx else {}
            response = as_owner.get(f"/console/users/{uid(user_a)}{path}", headers=headers)
            text = response.content.decode()
            assert response.status_code == 200, path
            assert ("<html" in text) is not htmx, path
            assert text.count("<h1") == (0 if htmx else 1), path


def test_a_number_says_whether_it_is_confirmed(as_owner, realm_a):
    for phone, verified in (("+4915112345678", True), ("+4915112345679", False)):
        user = make_user(realm_a, f"{phone[1:]}@example.com", phone=phone, phone_verified=verified)
        ways = as_owner.get(f"/console/users/{uid(user)}").context["sign_in_ways"]
        assert (str(ways[-1]["label"]), ways[-1]["level"]) == ("Phone number", "ok" if verified else "medium")


def test_ac_04_who_cannot_see_people_is_refused(as_role, as_nobody, user_a):
    manager = as_role("Application manager")
    for path in ("", *(f"/{uid(user_a)}{rest}" for rest in (*TABS, *DIALOGS))):
        for client in (manager, as_nobody):
            assert client.get(f"/console/users{path}").status_code == 403, path


def test_ti_02_ti_08_another_realms_person_is_not_there(as_owner, user_b):
    for path in (*TABS, *DIALOGS):
        for headers in ({}, {"HX-Request": "true"}):
            missing = as_owner.get(f"/console/users/usr_{'a' * 26}{path}", headers=headers)
            response = as_owner.get(f"/console/users/{uid(user_b)}{path}", headers=headers)
            assert (response.status_code, missing.status_code) == (404, 404), path
            assert "Dana" not in response.content.decode(), path


def test_a_malformed_id_looks_like_an_unknown_one(as_owner):
    for text in ("usr_x", "app_" + "a" * 26, "%00", "usr_" + "1" * 26):
        assert as_owner.get(f"/console/users/{text}").status_code == 404, text


def test_search_and_filters_narrow_the_list(as_owner, realm_a, owner_a, user_a):
    with realm_scope(realm_a):
        system = system_actor(realm_a.pk)
        disable_user(system, user_id=make_user(realm_a, "gone@example.com", name="Gone Gary").pk)
        lock_user(system, user_id=make_user(realm_a, "locked@example.com", name="Locked Lou").pk, minutes=60)
        invite_user(system, email="new@example.com", name="New Nora")
        owner_role = public_id("role", find_role("console", "Owner").pk)

    def names(query):
        text = as_owner.get(f"/console/users?{query}", headers={"HX-Request": "true"}).content.decode()
        return {
            name
            for name in ("Gone Gary", "Locked Lou", "New Nora", "Dana Okafor", "Olivia Owner")
            if f">{name}</a>" in text
        }

    assert names("q=dana") == {"Dana Okafor"}
    assert names("q=dana@example") == {"Dana Okafor"}
    assert names(f"q={uid(user_a)}") == {"Dana Okafor"}
    assert names("status=disabled") == {"Gone Gary"}
    assert names("status=locked") == {"Locked Lou"}
    assert names("status=invited") == {"New Nora"}
    assert names(f"role={owner_role}") == {"Olivia Owner"}
    assert names("status=root") == names("")
    assert "Nobody matches." in as_owner.get("/console/users?q=zzz").content.decode()


def test_a_lock_that_is_over_is_no_lock(as_owner, realm_a, user_a):
    with realm_scope(realm_a):
        lock_user(system_actor(realm_a.pk), user_id=user_a.pk, minutes=10)
    assert "Locked until" in as_owner.get(f"/console/users/{uid(user_a)}").content.decode()
    with clock.clock_at(clock.now() + timedelta(minutes=11)):
        text = as_owner.get(f"/console/users/{uid(user_a)}").content.decode()
    assert "Locked until" not in text
    assert "Active" in text


def test_a_long_list_is_paged_by_a_cursor_that_keeps_the_filters(as_owner, realm_a, monkeypatch):
    monkeypatch.setattr("console.shell.lists.PAGE_SIZE", 2)
    monkeypatch.setattr("console.shell.lists.paginate.__kwdefaults__", {"order": ("-id",), "size": 2, "count": True})
    for number in range(3):
        make_user(realm_a, f"p{number}@example.com", name=f"Person {number}")
    first = as_owner.get("/console/users?q=Person").content.decode()
    assert "Person 2" in first
    assert "Person 0" not in first
    older = first.split("data-page>Older")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert "q=Person" in older
    assert "Person 0" in as_owner.get(older).content.decode()


def test_a_help_desk_of_one_organization_sees_its_members_alone(realm_a, as_owner_a, user_a):
    desk = make_user(realm_a, "desk@example.com", name="Desk Dora")
    member = make_user(realm_a, "member@example.com", name="Member Max")
    with realm_scope(realm_a):
        organization = create_organization(as_owner_a, slug="retail", name="Acme Retail")
        add_member(as_owner_a, organization_id=organization.pk, user_id=member.pk)
        for permission in ("users:read", "users:disable"):
            grant_object(
                as_owner_a,
                user_id=desk.pk,
                permission=permission,
                kind="organization",
                object_id=organization.pk,
            )
    client = RealmClient(realm_a).sign_in(desk)
    text = client.get("/console/users").content.decode()
    assert "Member Max" in text
    assert "Dana Okafor" not in text
    assert client.get(f"/console/users/{uid(member)}").status_code == 200
    assert client.get(f"/console/users/{uid(user_a)}").status_code == 404
    assert client.get(f"/console/users/{uid(member)}/disable").status_code == 200
    assert client.get(f"/console/users/{uid(member)}/delete").status_code == 403
    assert client.post(f"/console/users/{uid(user_a)}/disable").status_code == 404
    assert client.post(f"/console/users/{uid(member)}/disable").status_code == 302


def test_acts_on_people_above_are_not_offered(realm_a, owner_a, user_a, as_role):
    text = as_role("Help desk").get(f"/console/users/{uid(owner_a)}").content.decode()
    assert f"{uid(owner_a)}/disable" not in text
    assert f"{uid(owner_a)}/edit" not in text
    text = as_role("Security analyst").get(f"/console/users/{uid(user_a)}").content.decode()
    assert f"{uid(user_a)}/disable" in text


@pytest.mark.parametrize("own", [True, False])
def test_ac_02_unlocking_is_offered_only_where_it_works(own, realm_a, owner_a, user_a, as_role, as_owner_a):
    client = as_role("Help desk")
    path = f"/console/users/{uid(owner_a)}"
    with realm_scope(realm_a):
        other = make_user(realm_a, "second@example.com", role="Owner")
        assert other
    if own:
        client.post(f"{path}/lock", {"minutes": "60", "reason": "Asked for"})
    else:
        with realm_scope(realm_a):
            lock_user(system_actor(realm_a.pk), user_id=owner_a.pk, minutes=60)
    shown = [f"{uid(owner_a)}/unlock" in client.get(page).content.decode() for page in (path, "/console/users")]
    assert shown == [own, own]
    assert client.post(f"{path}/unlock").status_code == (302 if own else 403)


def test_nobody_is_offered_to_lock_himself_out(as_owner, owner_a):
    text = as_owner.get(f"/console/users/{uid(owner_a)}").content.decode()
    assert f"{uid(owner_a)}/lock" not in text
    assert f"{uid(owner_a)}/delete" not in text


def test_the_list_takes_the_same_queries_for_any_length(as_owner, realm_a, django_assert_max_num_queries):
    with realm_scope(realm_a):
        role = find_role("console", "Auditor")
        for number in range(12):
            user = make_user(realm_a, f"p{number}@example.com")
            assign_role(system_actor(realm_a.pk), user_id=user.pk, role_id=role.pk)
    with django_assert_max_num_queries(24):
        as_owner.get("/console/users")
