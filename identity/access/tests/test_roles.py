"""Roles: made, changed, given and taken, by whom and by whom not."""

from uuid import uuid4

import pytest

from conftest import actor_of, make_application, make_user
from identity.access.commands import (
    assign_role,
    change_role,
    create_role,
    delete_role,
    ensure_built_in_roles,
    grant_object,
    unassign_role,
)
from identity.access.models import Role, RoleAssignment
from identity.access.queries import (
    application_role_names,
    assignable_roles,
    find_role,
    get_role,
    permissions_of_user,
    role_names_of,
    roles,
    roles_of_user,
)
from identity.audit.models import AuditEvent
from identity.kernel.actor import anonymous_actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import PLATFORM_ONLY, Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_a(realm_a):
    with realm_scope(realm_a):
        yield realm_a


def events(realm, type_):
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


def named(name):
    return find_role("console", name)


def test_built_in_roles_are_made_once_and_changed_only_by_the_code(in_a):
    before = list(Role.objects.order_by("id").values_list("name", "permissions"))
    ensure_built_in_roles(system_actor(in_a.pk))
    assert list(Role.objects.order_by("id").values_list("name", "permissions")) == before
    assert [name for name, _ in before] == [
        "Owner",
        "Admin",
        "Application manager",
        "Help desk",
        "Security analyst",
        "Auditor",
    ]


def test_a_built_in_role_that_fell_behind_is_brought_up_to_date(in_a):
    auditor = named("Auditor")
    auditor.permissions = ["console:open"]
    auditor.save(update_fields=["permissions"])
    ensure_built_in_roles(system_actor(in_a.pk))
    assert "audit:read" in named("Auditor").permissions
    changed = events(in_a, "role.permissions_changed")[-1]
    assert "audit:read" in changed.payload["added"]
    assert changed.payload["removed"] == []


def test_platform_has_the_operator_role(platform):
    with realm_scope(platform):
        operator = named("Operator")
        assert set(operator.permissions) >= {str(p) for p in PLATFORM_ONLY}


def test_an_own_role_is_created_with_its_event(in_a, as_owner_a):
    role = create_role(
        as_owner_a, kind="console", name=" Night  shift ", description="After hours", permissions=["users:read"]
    )
    assert (role.name, role.permissions, role.built_in) == ("Night shift", ["console:open", "users:read"], False)
    said = events(in_a, "role.created")[-1]
    assert said.actor_id == as_owner_a.id
    assert said.target_id == role.pk
    assert said.payload["permissions"] == ["console:open", "users:read"]


def test_two_roles_of_one_kind_never_share_a_name(in_a, as_owner_a):
    create_role(as_owner_a, kind="console", name="Night shift")
    with pytest.raises(Invalid) as refusal:
        create_role(as_owner_a, kind="console", name="NIGHT SHIFT")
    assert (refusal.value.field, refusal.value.reason) == ("name", "name_taken")
    create_role(as_owner_a, kind="application", name="Night shift")


def test_an_application_role_opens_nothing(in_a, as_owner_a):
    with pytest.raises(Invalid):
        create_role(as_owner_a, kind="application", name="buyer", permissions=["users:read"])
    role = create_role(as_owner_a, kind="application", name="buyer")
    assert role.permissions == []
    with pytest.raises(Invalid):
        change_role(as_owner_a, role_id=role.pk, permissions=["users:read"])


@pytest.mark.parametrize("word", ["realms:write", "auth.add_user", "is_superuser"])
def test_ac_01_a_role_of_a_realm_never_holds_what_is_not_of_a_realm(in_a, as_owner_a, word):
    for act in (
        lambda: create_role(as_owner_a, kind="console", name="Root", permissions=[word]),
        lambda: create_role(system_actor(in_a.pk), kind="console", name="Root", permissions=[word]),
    ):
        with pytest.raises(Invalid):
            act()
    assert named("Root") is None


def test_ac_01_a_forged_platform_role_gives_no_platform_permission(in_a, user_a):
    forged = Role.objects.create(
        kind="console", name="Forged", permissions=[str(p) for p in Permission], created_at=in_a.created_at
    )
    assign_role(system_actor(in_a.pk), user_id=user_a.pk, role_id=forged.pk)
    held, _ = permissions_of_user(user_a.pk)
    assert not held & PLATFORM_ONLY
    assert Permission.USERS_READ in held


def test_ac_02_an_admin_neither_makes_nor_unmakes_owners(in_a, owner_a, user_a):
    admin = make_user(in_a, "admin@example.com", role="Admin")
    owner = named("Owner")
    with pytest.raises(PermissionDenied) as refusal:
        assign_role(actor_of(admin), user_id=user_a.pk, role_id=owner.pk)
    assert refusal.value.permission == Permission.OWNERS_ASSIGN
    with pytest.raises(PermissionDenied):
        assign_role(actor_of(admin), user_id=admin.pk, role_id=owner.pk)
    with pytest.raises(PermissionDenied):
        unassign_role(actor_of(admin), user_id=owner_a.pk, role_id=owner.pk)
    with pytest.raises(PermissionDenied):
        create_role(actor_of(admin), kind="console", name="Second owner", permissions=["owners:assign"])
    assert [r.name for r in roles_of_user(owner_a.pk)] == ["Owner"]
    assert roles_of_user(user_a.pk) == []


def test_ac_02_a_role_that_holds_more_than_the_actor_is_out_of_his_reach(in_a, as_owner_a):
    admin = make_user(in_a, "admin@example.com", role="Admin")
    strong = create_role(as_owner_a, kind="console", name="Strong", permissions=["owners:assign"])
    weak = create_role(as_owner_a, kind="console", name="Weak", permissions=["users:read"])
    for act in (
        lambda: change_role(actor_of(admin), role_id=strong.pk, permissions=[]),
        lambda: change_role(actor_of(admin), role_id=strong.pk, name="Mine"),
        lambda: change_role(actor_of(admin), role_id=weak.pk, permissions=["owners:assign"]),
        lambda: delete_role(actor_of(admin), role_id=strong.pk),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert get_role(as_owner_a, role_id=strong.pk).permissions == ["console:open", "owners:assign"]


def test_changing_a_role_says_what_was_added_and_removed(in_a, as_owner_a, user_a):
    role = create_role(as_owner_a, kind="console", name="Shift", permissions=["users:read", "sessions:read"])
    assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    change_role(as_owner_a, role_id=role.pk, name="Day shift", permissions=["users:read", "alerts:read"])
    said = events(in_a, "role.permissions_changed")[-1]
    assert (said.payload["added"], said.payload["removed"]) == (["alerts:read"], ["sessions:read"])
    renamed = events(in_a, "role.renamed")[-1]
    assert renamed.payload["changes"] == {"name": ["Shift", "Day shift"]}
    assert Permission.ALERTS_READ in permissions_of_user(user_a.pk)[0]
    assert Permission.SESSIONS_READ not in permissions_of_user(user_a.pk)[0]


def test_an_unchanged_role_says_nothing(in_a, as_owner_a):
    role = create_role(as_owner_a, kind="console", name="Shift", permissions=["users:read"])
    before = AuditEvent.objects.filter(realm_id=in_a.pk).count()
    change_role(as_owner_a, role_id=role.pk, name="Shift", description="", permissions=["users:read"])
    assert AuditEvent.objects.filter(realm_id=in_a.pk).count() == before


def test_built_in_roles_are_nobodys_to_edit(in_a, as_owner_a):
    for name in ("Owner", "Auditor"):
        with pytest.raises(Conflict) as refusal:
            change_role(as_owner_a, role_id=named(name).pk, permissions=[])
        assert refusal.value.reason == "built_in_role"
        with pytest.raises(Conflict):
            delete_role(as_owner_a, role_id=named(name).pk)


def test_a_renamed_role_never_takes_anothers_name(in_a, as_owner_a):
    create_role(as_owner_a, kind="console", name="Day")
    night = create_role(as_owner_a, kind="console", name="Night")
    with pytest.raises(Invalid) as refusal:
        change_role(as_owner_a, role_id=night.pk, name="day")
    assert refusal.value.field == "name"


def test_assigning_twice_is_once(in_a, as_owner_a, user_a):
    role = named("Auditor")
    first = assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    assert assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk) == first
    said = [e for e in events(in_a, "role.assigned") if e.target_id == user_a.pk]
    assert len(said) == 1
    assert (said[0].payload["role"], said[0].actor_id) == ("Auditor", as_owner_a.id)


def test_ac_07_what_a_role_opened_closes_with_it(in_a, as_owner_a, user_a):
    role = named("Help desk")
    assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    assert actor_of(user_a).can(Permission.USERS_WRITE)
    unassign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    assert not actor_of(user_a).can_somewhere(Permission.USERS_WRITE)
    assert events(in_a, "role.unassigned")[-1].payload["role"] == "Help desk"
    unassign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    assert len(events(in_a, "role.unassigned")) == 1


def test_ac_07_deleting_a_role_takes_it_from_everybody(in_a, as_owner_a, user_a):
    role = create_role(as_owner_a, kind="console", name="Shift", permissions=["users:read"])
    assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    with pytest.raises(Conflict):
        delete_role(as_owner_a, role_id=role.pk, expected_holders=0)
    assert delete_role(as_owner_a, role_id=role.pk, expected_holders=1) == 1
    assert permissions_of_user(user_a.pk) == (frozenset(), frozenset())
    said = events(in_a, "role.deleted")[-1]
    assert (said.payload["name"], said.payload["holders"]) == ("Shift", 1)


def test_application_roles_go_into_tokens_of_their_application_alone(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    other, _ = make_application(in_a, name="Other", client_id="other")
    for name, application in (("staff", None), ("buyer", portal), ("seller", other)):
        role = create_role(
            as_owner_a, kind="application", name=name, application_id=application.pk if application else None
        )
        assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
    assert application_role_names(user_a.pk, portal.pk) == ["buyer", "staff"]
    assert application_role_names(user_a.pk, other.pk) == ["seller", "staff"]
    assert permissions_of_user(user_a.pk) == (frozenset(), frozenset())


def test_a_manager_of_one_application_gives_its_roles_and_no_other(in_a, as_owner_a, user_a):
    portal, _ = make_application(in_a)
    other, _ = make_application(in_a, name="Other", client_id="other")
    buyer = create_role(as_owner_a, kind="application", name="buyer", application_id=portal.pk)
    seller = create_role(as_owner_a, kind="application", name="seller", application_id=other.pk)
    staff = create_role(as_owner_a, kind="application", name="staff")
    manager = make_user(in_a, "manager@example.com")
    grant_object(as_owner_a, user_id=manager.pk, permission="roles:assign", kind="application", object_id=portal.pk)
    actor = actor_of(manager)
    assign_role(actor, user_id=user_a.pk, role_id=buyer.pk)
    assert application_role_names(user_a.pk, portal.pk) == ["buyer"]
    for role in (seller, staff, named("Auditor")):
        with pytest.raises(PermissionDenied):
            assign_role(actor, user_id=user_a.pk, role_id=role.pk)
    assert [role.name for role in assignable_roles(actor)] == ["buyer"]
    assert [role.name for role in roles(actor)] == ["buyer"]
    with pytest.raises(NotFound):
        get_role(actor, role_id=seller.pk)


@pytest.mark.parametrize(
    "act",
    [
        lambda actor, role, user: create_role(actor, kind="console", name="Mine"),
        lambda actor, role, user: change_role(actor, role_id=role.pk, name="Mine"),
        lambda actor, role, user: delete_role(actor, role_id=role.pk),
        lambda actor, role, user: assign_role(actor, user_id=user.pk, role_id=role.pk),
        lambda actor, role, user: unassign_role(actor, user_id=user.pk, role_id=role.pk),
        lambda actor, role, user: ensure_built_in_roles(actor),
        lambda actor, role, user: list(roles(actor)),
    ],
    ids=["create", "change", "delete", "assign", "unassign", "ensure", "list"],
)
def test_ac_04_without_the_permission_nothing_happens(in_a, as_owner_a, user_a, act):
    role = create_role(as_owner_a, kind="console", name="Shift", permissions=[])
    before = list(Role.objects.order_by("id").values()), list(RoleAssignment.objects.order_by("id").values())
    for actor in (actor_of(user_a), anonymous_actor(in_a.pk)):
        with pytest.raises(PermissionDenied):
            act(actor, role, user_a)
    assert before == (
        list(Role.objects.order_by("id").values()),
        list(RoleAssignment.objects.order_by("id").values()),
    )


def test_ti_02_another_realms_roles_and_people_are_not_there(realm_a, realm_b, as_owner_a, as_owner_b, user_a, user_b):
    with realm_scope(realm_b):
        theirs = create_role(as_owner_b, kind="console", name="Shift")
        their_portal, _ = make_application(realm_b)
    with realm_scope(realm_a):
        mine = create_role(as_owner_a, kind="console", name="Shift")
        for act in (
            lambda: get_role(as_owner_a, role_id=theirs.pk),
            lambda: change_role(as_owner_a, role_id=theirs.pk, name="Taken over"),
            lambda: delete_role(as_owner_a, role_id=theirs.pk),
            lambda: assign_role(as_owner_a, user_id=user_a.pk, role_id=theirs.pk),
            lambda: assign_role(as_owner_a, user_id=user_b.pk, role_id=mine.pk),
            lambda: unassign_role(as_owner_a, user_id=user_b.pk, role_id=mine.pk),
            lambda: create_role(as_owner_a, kind="application", name="x", application_id=their_portal.pk),
            lambda: assign_role(as_owner_a, user_id=uuid4(), role_id=mine.pk),
        ):
            with pytest.raises(NotFound):
                act()
        assert role_names_of([user_b.pk]) == {}
        assert roles_of_user(user_b.pk) == []
    with realm_scope(realm_b):
        theirs.refresh_from_db()
        assert theirs.name == "Shift"
        assert roles_of_user(user_b.pk) == []


def test_permissions_are_two_queries(in_a, as_owner_a, user_a, django_assert_num_queries):
    for name in ("Auditor", "Help desk", "Security analyst"):
        assign_role(as_owner_a, user_id=user_a.pk, role_id=named(name).pk)
    with django_assert_num_queries(2):
        held, _ = permissions_of_user(user_a.pk)
    assert {Permission.AUDIT_EXPORT, Permission.USERS_INVITE, Permission.ALERTS_ACT} <= held
