"""Organizations in the console: shown, made, filled, renamed and deleted; by whom, and by whom not."""

import pytest

from conftest import actor_of, make_user
from identity.access.commands import add_member, create_organization, grant_object
from identity.access.models import Membership, Organization
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
LIST = "/console/organizations"


def oid(organization):
    return public_id("organization", organization.pk)


def uid(user):
    return public_id("user", user.pk)


def stored(realm, slug):
    with realm_scope(realm):
        return Organization.objects.filter(slug=slug).first()


def members(realm, organization):
    with realm_scope(realm):
        return set(Membership.objects.filter(organization=organization).values_list("user_id", flat=True))


def said(realm, type_):
    return AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("-id").first()


@pytest.fixture
def retail(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return create_organization(as_owner_a, slug="retail", name="Acme Retail")


@pytest.fixture
def dana_in_retail(realm_a, as_owner_a, retail, user_a):
    with realm_scope(realm_a):
        add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    return user_a


def test_list_tabs_and_dialogs_are_pages_and_regions(as_owner, retail, dana_in_retail):
    base = f"{LIST}/{oid(retail)}"
    pages = {
        LIST: "Acme Retail",
        f"{LIST}?q=ret": "Acme Retail",
        f"{LIST}?q=zzz": "No organizations match.",
        f"{LIST}/new": "Slug",
        base: "Newest members",
        f"{base}/members": "Dana Okafor",
        f"{base}/members?q=zzz": "Nobody of that name belongs to this organization.",
        f"{base}/managers": "Nobody manages this alone.",
        f"{base}/activity": "membership.added",
        f"{base}/edit": "The slug stays retail",
        f"{base}/delete": "People who no longer belong to it",
        f"{base}/members/add": "belongs to it already",
        f"{base}/members/{uid(dana_in_retail)}/remove": "can help this person no longer",
        f"{base}/managers/add": "See its members",
    }
    for path, expected in pages.items():
        for headers in ({}, HTMX):
            response = as_owner.get(path, headers=headers)
            text = response.content.decode()
            assert response.status_code == 200, path
            assert expected in text, path
            assert ("<html" in text) is not bool(headers), path


def test_an_empty_list_says_what_to_do_next_to_those_who_can(as_owner, as_role):
    assert f'href="/realms/a{LIST}/new"' in as_owner.get(LIST).content.decode()
    text = as_role("Auditor").get(LIST).content.decode()
    assert "No organizations yet" in text
    assert f"{LIST}/new" not in text


def test_one_is_created_with_a_slug_from_its_name(as_owner, realm_a):
    response = as_owner.post(f"{LIST}/new", {"name": "Northwind Traders"})
    made = stored(realm_a, "northwind-traders")
    assert response["Location"].endswith(f"{oid(made)}/members")
    assert said(realm_a, "organization.created").target_id == made.pk
    again = as_owner.post(f"{LIST}/new", {"name": "Other", "slug": "northwind-traders"})
    assert again.status_code == 422
    assert "This slug is taken." in again.content.decode()


def test_a_person_is_added_and_removed_from_the_dialogs(as_owner, realm_a, retail, user_a):
    base = f"{LIST}/{oid(retail)}/members"
    assert as_owner.post(f"{base}/add", {"q": "dana"}).status_code == 422
    response = as_owner.post(f"{base}/add", {"user": uid(user_a)})
    assert response["Location"].endswith(base)
    assert members(realm_a, retail) == {user_a.pk}
    assert said(realm_a, "membership.added").payload["organization"] == "Acme Retail"
    as_owner.post(f"{base}/{uid(user_a)}/remove")
    assert members(realm_a, retail) == set()
    assert said(realm_a, "membership.removed").target_id == user_a.pk
    assert as_owner.get(f"{base}/{uid(user_a)}/remove").status_code == 404


def test_the_search_for_people_is_bounded_and_of_this_realm(as_owner, realm_a, realm_b, retail):
    for number in range(12):
        make_user(realm_a, f"ann{number}@example.com", name=f"Ann {number}")
    make_user(realm_b, "ann@example.com", name="Ann of B")
    headers = {**HTMX, "HX-Target": "matches"}
    text = as_owner.get(f"{LIST}/{oid(retail)}/members/add?q=ann", headers=headers).content.decode()
    assert text.count('name="user"') == 8
    assert "of B" not in text


def test_it_is_renamed_and_the_slug_stays(as_owner, realm_a, retail):
    as_owner.post(f"{LIST}/{oid(retail)}/edit", {"name": "Retail North"})
    assert stored(realm_a, "retail").name == "Retail North"
    assert said(realm_a, "organization.renamed").payload["changes"]["name"] == ["Acme Retail", "Retail North"]


def test_it_is_deleted_by_its_name_and_its_people_stay(as_owner, realm_a, retail, dana_in_retail):
    path = f"{LIST}/{oid(retail)}/delete"
    assert as_owner.post(path, {"confirm": "retail"}).status_code == 422
    assert as_owner.post(path, {"confirm": "Acme Retail", "seen_members": "0"}).status_code == 409
    response = as_owner.post(path, {"confirm": "Acme Retail", "seen_members": "1"})
    assert response["Location"].endswith(LIST)
    assert stored(realm_a, "retail") is None
    assert said(realm_a, "organization.deleted").payload["members"] == 1
    assert as_owner.get(f"/console/users/{uid(dana_in_retail)}").status_code == 200


def test_a_persons_overview_and_the_palette_lead_to_the_organization(as_owner, retail, dana_in_retail):
    url = f"/realms/a{LIST}/{oid(retail)}"
    assert f'href="{url}"' in as_owner.get(f"/console/users/{uid(dana_in_retail)}").content.decode()
    assert url in as_owner.get("/console/find?q=acme", headers=HTMX).content.decode()


def test_reading_is_not_writing(as_role, realm_a, retail, dana_in_retail):
    auditor = as_role("Auditor")
    base = f"{LIST}/{oid(retail)}"
    assert auditor.get(base).status_code == 200
    assert "Add a person" not in auditor.get(f"{base}/members").content.decode()
    for path in (
        f"{LIST}/new",
        f"{base}/edit",
        f"{base}/delete",
        f"{base}/members/add",
        f"{base}/members/{uid(dana_in_retail)}/remove",
        f"{base}/managers/add",
    ):
        for response in (
            auditor.get(path),
            auditor.post(path, {"confirm": "Acme Retail", "user": uid(dana_in_retail)}),
        ):
            assert response.status_code == 403, path
    assert members(realm_a, retail) == {dana_in_retail.pk}


def test_without_the_permission_there_is_no_area(as_role, retail):
    client = as_role("Application manager")
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}/{oid(retail)}").status_code == 403
    assert f'href="/realms/a{LIST}"' not in client.get("/console/applications").content.decode()


def test_ti_02_another_realms_organization_is_not_there(as_owner, realm_b, as_owner_b, user_b, retail):
    with realm_scope(realm_b):
        other = create_organization(as_owner_b, slug="retail", name="Acme Retail of B")
        add_member(as_owner_b, organization_id=other.pk, user_id=user_b.pk)
    base = f"{LIST}/{oid(other)}"
    for path in ("", "/members", "/managers", "/activity", "/edit", "/delete", "/members/add", "/managers/add"):
        assert as_owner.get(base + path).status_code == 404, path
    assert as_owner.post(f"{base}/members/{uid(user_b)}/remove").status_code == 404
    assert as_owner.post(f"{LIST}/{oid(retail)}/members/add", {"user": uid(user_b)}).status_code == 404
    assert members(realm_b, other) == {user_b.pk}
    assert "of B" not in as_owner.get(LIST).content.decode()


# --- the help desk of one organization ------------------------------------------------------------------------------

HELPS = ("organizations:read", "sessions:end", "sessions:read", "users:disable", "users:read", "users:write")


@pytest.fixture
def desk(realm_a, as_owner_a, retail, dana_in_retail):
    """A console opened by somebody who helps in Acme Retail and holds nothing else."""
    helper = make_user(realm_a, "helper@example.com", name="Hugo Helper")
    with realm_scope(realm_a):
        for permission in HELPS:
            grant_object(as_owner_a, user_id=helper.pk, permission=permission, kind="organization", object_id=retail.pk)
    return RealmClient(realm_a).sign_in(helper)


@pytest.fixture
def stranger(realm_a, as_owner_a):
    """Somebody of another organization."""
    other = make_user(realm_a, "sam@example.com", name="Sam Stranger")
    with realm_scope(realm_a):
        wholesale = create_organization(as_owner_a, slug="wholesale", name="Wholesale")
        add_member(as_owner_a, organization_id=wholesale.pk, user_id=other.pk)
    RealmClient(realm_a).sign_in(other)
    return other


def test_the_help_desk_of_one_organization_sees_its_members_only(desk, retail, dana_in_retail, stranger, owner_a):
    listed = desk.get("/console/users").content.decode()
    assert "Dana Okafor" in listed
    for name in ("Sam Stranger", "Olivia Owner"):
        assert name not in listed
        assert name not in desk.get("/console/sessions").content.decode()
        assert name not in desk.get(f"/console/find?q={name[:3]}", headers=HTMX).content.decode()
    assert "Wholesale" not in desk.get(LIST).content.decode()
    assert desk.get(f"{LIST}/{oid(retail)}/members").status_code == 200


def test_the_help_desk_of_one_organization_acts_on_its_members_only(desk, realm_a, dana_in_retail, stranger):
    for path in ("", "/access", "/sessions", "/edit", "/lock", "/disable", "/end-sessions", "/delete"):
        assert desk.get(f"/console/users/{uid(stranger)}{path}").status_code == 404, path
    for path in ("/lock", "/unlock", "/disable", "/end-sessions", "/reset-link"):
        assert desk.post(f"/console/users/{uid(stranger)}{path}", {"minutes": "60"}).status_code == 404, path
    assert desk.get(f"/console/users/disable?ids={uid(dana_in_retail)}&ids={uid(stranger)}").status_code == 404
    response = desk.post(f"/console/users/{uid(dana_in_retail)}/lock", {"minutes": "60"})
    assert response.status_code == 302
    assert said(realm_a, "user.locked").target_id == dana_in_retail.pk


def test_the_help_desk_of_one_organization_learns_nothing_of_the_others(
    desk, realm_a, as_owner_a, dana_in_retail, stranger
):
    with realm_scope(realm_a):
        secret = create_organization(as_owner_a, slug="secret", name="Secret Club")
        add_member(as_owner_a, organization_id=secret.pk, user_id=dana_in_retail.pk)
    for path in ("", "/access"):
        text = desk.get(f"/console/users/{uid(dana_in_retail)}{path}").content.decode()
        assert "Acme Retail" in text
        assert "Secret Club" not in text
    for path in ("", "/members", "/activity"):
        assert desk.get(f"{LIST}/{oid(secret)}{path}").status_code == 404, path


def test_the_help_desk_of_one_organization_invites_and_creates_nobody(desk, realm_a, retail):
    for path in ("/console/users/invite", "/console/users/new", f"{LIST}/new", f"{LIST}/{oid(retail)}/members/add"):
        assert desk.get(path).status_code == 403, path
    for path in ("/managers", "/activity"):
        assert desk.get(f"{LIST}/{oid(retail)}{path}").status_code == 403, path


def test_what_was_granted_ends_with_the_membership(desk, realm_a, as_owner, retail, dana_in_retail):
    as_owner.post(f"{LIST}/{oid(retail)}/members/{uid(dana_in_retail)}/remove")
    assert desk.get(f"/console/users/{uid(dana_in_retail)}").status_code == 404


def test_ac_02_nobody_brings_a_person_under_his_own_hands(realm_a, as_owner_a, retail, user_a):
    from identity.access.commands import assign_role, create_role
    from identity.kernel.errors import PermissionDenied

    helper = make_user(realm_a, "helper@example.com")
    with realm_scope(realm_a):
        role = create_role(
            as_owner_a, kind="console", name="Organizer", permissions=["organizations:write", "users:read"]
        )
        assign_role(as_owner_a, user_id=helper.pk, role_id=role.pk)
        grant_object(as_owner_a, user_id=helper.pk, permission="users:write", kind="organization", object_id=retail.pk)
        with pytest.raises(PermissionDenied) as refusal:
            add_member(actor_of(helper), organization_id=retail.pk, user_id=user_a.pk)
        assert refusal.value.permission == "users:write"
    assert members(realm_a, retail) == set()
