"""Object grants and organizations: a help desk for one organization, a manager of one application."""

import pytest
from guardian.shortcuts import get_objects_for_user

from conftest import actor_of, make_application, make_user
from identity.access.commands import (
    add_member,
    assign_role,
    create_organization,
    create_role,
    delete_organization,
    grant_object,
    grant_several,
    remove_member,
    rename_organization,
    revoke_object_grant,
    revoke_several,
)
from identity.access.models import Membership, ObjectGrant, Organization
from identity.access.queries import (
    get_organization,
    grants_of_user,
    memberships,
    organization_scopes,
    organizations,
    organizations_of_user,
    permissions_of_user,
)
from identity.applications.models import Application
from identity.audit.models import AuditEvent
from identity.audit.queries import events_naming
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.sessions.commands import end_sessions_of_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_a(realm_a):
    with realm_scope(realm_a):
        yield realm_a


@pytest.fixture
def retail(in_a, as_owner_a):
    return create_organization(as_owner_a, slug="retail", name="Acme Retail")


def events(realm, type_):
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


def grant(actor, user, permission, kind, target):
    return grant_object(actor, user_id=user.pk, permission=permission, kind=kind, object_id=target.pk)


def test_a_grant_holds_on_its_object_and_opens_the_console(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    other, _ = make_application(in_a, name="Other", client_id="other")
    grant(as_owner_a, user_a, "applications:write", "application", portal)
    actor = actor_of(user_a)
    assert actor.can(Permission.APPLICATIONS_WRITE, ("application", portal.pk))
    assert not actor.can(Permission.APPLICATIONS_WRITE, ("application", other.pk))
    assert not actor.can(Permission.APPLICATIONS_WRITE)
    assert actor.can(Permission.CONSOLE_OPEN)
    said = events(in_a, "grant.added")
    assert len(said) == 1
    assert said[0].payload["permission"] == "applications:write"
    assert said[0].target_id == user_a.pk
    grant(as_owner_a, user_a, "applications:write", "application", portal)
    assert len(events(in_a, "grant.added")) == 1


def test_guardian_gives_the_same_answer_without_groups(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    make_application(in_a, name="Other", client_id="other")
    grant(as_owner_a, user_a, "applications:read", "application", portal)
    found = get_objects_for_user(
        user_a, "applications:read", klass=Application.objects.all(), use_groups=False, with_superuser=False
    )
    assert list(found) == [portal]


def test_ac_07_a_taken_grant_holds_nothing(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    grant(as_owner_a, user_a, "applications:read", "application", portal)
    revoke_object_grant(
        as_owner_a, user_id=user_a.pk, permission="applications:read", kind="application", object_id=portal.pk
    )
    assert permissions_of_user(user_a.pk) == (frozenset(), frozenset())
    revoke_object_grant(
        as_owner_a, user_id=user_a.pk, permission="applications:read", kind="application", object_id=portal.pk
    )
    assert len(events(in_a, "grant.removed")) == 1


def test_ac_02_a_grant_needs_the_permission_itself(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    giver = make_user(in_a, "giver@example.com")
    role = create_role(as_owner_a, kind="console", name="Giver", permissions=["roles:assign", "applications:read"])
    assign_role(as_owner_a, user_id=giver.pk, role_id=role.pk)
    grant(actor_of(giver), user_a, "applications:read", "application", portal)
    with pytest.raises(PermissionDenied) as refusal:
        grant(actor_of(giver), user_a, "applications:secrets", "application", portal)
    assert refusal.value.permission == Permission.APPLICATIONS_SECRETS


def test_a_manager_of_one_application_makes_no_second_one(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    manager = make_user(in_a, "manager@example.com")
    for permission in ("roles:assign", "applications:write"):
        grant(as_owner_a, manager, permission, "application", portal)
    with pytest.raises(PermissionDenied):
        grant(actor_of(manager), user_a, "applications:write", "application", portal)


@pytest.mark.parametrize(
    ("kind", "permission", "field"),
    [
        ("application", "realms:write", "permission"),
        ("application", "users:write", "permission"),
        ("application", "auth.add_user", "permission"),
        ("user", "users:write", "kind"),
        ("realm", "realms:write", "kind"),
    ],
)
def test_ac_01_only_listed_permissions_are_granted_on_listed_kinds(in_a, as_owner_a, user_a, kind, permission, field):
    portal, _ = make_application(in_a)
    with pytest.raises(Invalid) as refusal:
        grant(as_owner_a, user_a, permission, kind, portal)
    assert refusal.value.field == field
    assert not ObjectGrant.objects.exists()


def test_ti_23_an_equal_id_in_another_table_transfers_nothing(in_a, as_owner_a, user_a, retail):
    portal, _ = make_application(in_a)
    twin = Organization.objects.create(id=portal.pk, slug="twin", name="Twin", created_at=clock.now())
    given = grant(as_owner_a, user_a, "sessions:read", "application", portal)
    actor = actor_of(user_a)
    assert actor.can(Permission.SESSIONS_READ, ("application", portal.pk))
    assert not actor.can(Permission.SESSIONS_READ, ("organization", twin.pk))
    # A row whose permission is of one kind and whose object is of another counts for neither.
    other = grant(as_owner_a, user_a, "users:read", "organization", retail)
    ObjectGrant.objects.filter(pk=given.pk).update(content_type=other.content_type)
    assert permissions_of_user(user_a.pk)[1] == {(Permission.USERS_READ, "organization", retail.pk)}


def test_ti_23_deleting_an_organization_deletes_what_was_granted_on_it(in_a, as_owner_a, user_a, retail):
    grant(as_owner_a, user_a, "users:read", "organization", retail)
    add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    gone = retail.pk
    delete_organization(as_owner_a, organization_id=gone)
    assert not ObjectGrant.objects.exists()
    assert not Membership.objects.exists()
    assert permissions_of_user(user_a.pk) == (frozenset(), frozenset())
    said = events(in_a, "organization.deleted")[-1]
    assert (said.payload["members"], said.payload["grants"]) == (1, 1)
    Organization.objects.create(id=gone, slug="again", name="Again", created_at=clock.now())
    assert permissions_of_user(user_a.pk) == (frozenset(), frozenset())


def test_organizations_are_named_joined_and_left(in_a, as_owner_a, user_a, retail):
    add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    assert organization_scopes(user_a.pk) == (("organization", retail.pk),)
    assert [m.user for m in memberships(as_owner_a, organization_id=retail.pk)] == [user_a]
    assert organizations_of_user(as_owner_a, user_id=user_a.pk) == [retail]
    rename_organization(as_owner_a, organization_id=retail.pk, name="Acme  Stores")
    assert get_organization(as_owner_a, organization_id=retail.pk).name == "Acme Stores"
    assert events(in_a, "organization.renamed")[-1].payload["changes"] == {"name": ["Acme Retail", "Acme Stores"]}
    remove_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    assert organization_scopes(user_a.pk) == ()
    assert len(events(in_a, "membership.added")) == len(events(in_a, "membership.removed")) == 1
    with pytest.raises(Invalid) as refusal:
        create_organization(as_owner_a, slug="retail", name="Again")
    assert refusal.value.field == "slug"


def test_a_help_desk_of_one_organization_sees_that_one(in_a, as_owner_a, user_a, retail):
    labs = create_organization(as_owner_a, slug="labs", name="Acme Labs")
    desk = make_user(in_a, "desk@example.com")
    for permission in ("organizations:read", "users:read"):
        grant(as_owner_a, desk, permission, "organization", retail)
    actor = actor_of(desk)
    assert list(organizations(actor)) == [retail]
    with pytest.raises(NotFound):
        get_organization(actor, organization_id=labs.pk)
    assert list(memberships(actor, organization_id=retail.pk)) == []
    with pytest.raises(PermissionDenied):
        add_member(actor, organization_id=retail.pk, user_id=user_a.pk)


def test_ac_04_without_the_permission_nothing_happens(in_a, as_user_a, user_a, owner_a, as_owner_a, retail):
    for act in (
        lambda: grant(as_user_a, user_a, "users:read", "organization", retail),
        lambda: revoke_object_grant(
            as_user_a, user_id=owner_a.pk, permission="users:read", kind="organization", object_id=retail.pk
        ),
        lambda: create_organization(as_user_a, slug="x", name="X"),
        lambda: rename_organization(as_user_a, organization_id=retail.pk, name="X"),
        lambda: delete_organization(as_user_a, organization_id=retail.pk),
        lambda: add_member(as_user_a, organization_id=retail.pk, user_id=user_a.pk),
        lambda: remove_member(as_user_a, organization_id=retail.pk, user_id=user_a.pk),
        lambda: organizations(as_user_a),
        lambda: grants_of_user(as_user_a, user_id=owner_a.pk),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert Organization.objects.count() == 1


def test_ti_02_another_realms_objects_are_not_there(realm_a, realm_b, as_owner_a, as_owner_b, user_a, user_b):
    with realm_scope(realm_b):
        theirs = create_organization(as_owner_b, slug="retail", name="Acme Retail")
        their_portal, _ = make_application(realm_b)
    with realm_scope(realm_a):
        mine = create_organization(as_owner_a, slug="retail", name="Acme Retail")
        for act in (
            lambda: grant(as_owner_a, user_a, "users:read", "organization", theirs),
            lambda: grant(as_owner_a, user_a, "applications:read", "application", their_portal),
            lambda: grant(as_owner_a, user_b, "users:read", "organization", mine),
            lambda: get_organization(as_owner_a, organization_id=theirs.pk),
            lambda: rename_organization(as_owner_a, organization_id=theirs.pk, name="X"),
            lambda: delete_organization(as_owner_a, organization_id=theirs.pk),
            lambda: add_member(as_owner_a, organization_id=theirs.pk, user_id=user_a.pk),
            lambda: add_member(as_owner_a, organization_id=mine.pk, user_id=user_b.pk),
            lambda: remove_member(as_owner_a, organization_id=theirs.pk, user_id=user_b.pk),
            lambda: list(memberships(as_owner_a, organization_id=theirs.pk)),
        ):
            with pytest.raises(NotFound):
                act()
        assert not ObjectGrant.objects.exists()


def test_the_help_desk_of_one_organization_ends_nothing_of_others(in_a, as_owner_a, retail, user_a):
    helper = make_user(in_a, "helper@example.com")
    for permission in ("users:read", "sessions:read", "sessions:end"):
        grant(as_owner_a, helper, permission, "organization", retail)
    with pytest.raises(NotFound):
        end_sessions_of_user(actor_of(helper), user_id=user_a.pk)
    add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    assert end_sessions_of_user(actor_of(helper), user_id=user_a.pk) == 0


def test_the_help_desk_of_one_organization_learns_no_other(in_a, as_owner_a, retail, user_a):
    helper = make_user(in_a, "helper@example.com")
    other = create_organization(as_owner_a, slug="wholesale", name="Wholesale")
    for organization in (retail, other):
        add_member(as_owner_a, organization_id=organization.pk, user_id=user_a.pk)
    grant(as_owner_a, helper, "organizations:read", "organization", retail)
    assert organizations_of_user(actor_of(helper), user_id=user_a.pk) == [retail]
    with pytest.raises(PermissionDenied):
        organizations_of_user(actor_of(user_a), user_id=user_a.pk)


def test_several_permissions_are_granted_and_taken_together_or_not_at_all(in_a, as_owner_a, user_a, retail):
    on = {"user_id": user_a.pk, "kind": "organization", "object_id": retail.pk}
    with pytest.raises(Invalid):
        grant_several(as_owner_a, permissions=["users:read", "keys:rotate"], **on)
    assert permissions_of_user(user_a.pk)[1] == frozenset()
    grant_several(as_owner_a, permissions=["users:read", "users:write"], **on)
    assert len(permissions_of_user(user_a.pk)[1]) == 2
    revoke_several(as_owner_a, permissions=["users:read", "users:write"], **on)
    assert permissions_of_user(user_a.pk)[1] == frozenset()
    assert [e.payload["object_name"] for e in events(in_a, "grant.removed")] == ["Acme Retail"] * 2


def test_an_organization_that_grew_since_it_was_looked_at_is_not_deleted(in_a, as_owner_a, retail, user_a):
    add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    with pytest.raises(Conflict):
        delete_organization(as_owner_a, organization_id=retail.pk, expected_members=0)
    assert Organization.objects.filter(pk=retail.pk).exists()


def test_an_organizations_trail_names_who_came_and_went(in_a, as_owner_a, retail, user_a):
    other = create_organization(as_owner_a, slug="wholesale", name="Wholesale")
    add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
    add_member(as_owner_a, organization_id=other.pk, user_id=user_a.pk)
    fields = {"organization_id": ("membership.added", "membership.removed")}
    found = events_naming(as_owner_a, object_id=retail.pk, fields=fields)
    assert [event.type for event in found] == ["membership.added", "organization.created"]
    assert {event.payload.get("organization_id", str(retail.pk)) for event in found} == {str(retail.pk)}
    with pytest.raises(PermissionDenied):
        events_naming(actor_of(user_a), object_id=retail.pk, fields=fields)
