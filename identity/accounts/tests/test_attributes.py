"""Custom attributes: defined by admins, filled in by people, gone without a trace when they are deleted."""

import pytest

from conftest import actor_of, make_user
from identity.accounts.commands import (
    change_attribute,
    define_attribute,
    delete_attribute,
    move_attribute,
    order_attributes,
    set_attributes,
    sign_up_federated_user,
)
from identity.accounts.models import Attribute, User
from identity.accounts.queries import find_attributes, get_attribute, holders_of_attribute
from identity.applications.commands import (
    create_resource_server,
    create_scope,
    delete_resource_server,
    delete_scope,
)
from identity.audit.models import AuditEvent
from identity.kernel.actor import anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def said(realm, type_):
    return AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("-id").first()


@pytest.fixture
def badge(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return define_attribute(
            as_owner_a, name="badge", label="Badge", pattern="[A-Z]\\d{3}", person_may_change=True, at_sign_up=True
        )


@pytest.fixture
def level(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return define_attribute(as_owner_a, name="level", label="Level", type="number")


def held(realm, user):
    with realm_scope(realm):
        return User.objects.get(pk=user.pk).attributes


def test_a_realm_defines_its_own_and_another_has_none_of_them(realm_a, realm_b, badge, level, as_owner_a, as_owner_b):
    with realm_scope(realm_a):
        assert [each.name for each in find_attributes(as_owner_a)] == ["badge", "level"]
        with pytest.raises(Invalid) as taken:
            define_attribute(as_owner_a, name="badge", label="Again")
        assert taken.value.reason == "name_taken"
        with pytest.raises(Invalid):
            define_attribute(as_owner_a, name="other", label="x", realm_id=realm_b.pk)
    with realm_scope(realm_b):
        assert find_attributes(as_owner_b) == []
        for command in (change_attribute, delete_attribute):
            with pytest.raises(NotFound):
                command(as_owner_b, attribute_id=badge.pk)
        define_attribute(as_owner_b, name="badge", label="Badge of B")
    assert said(realm_a, "attribute.defined").payload["attribute"] == "level"


def test_only_who_may_change_settings_defines_them(realm_a, badge, as_user_a):
    auditor = actor_of(make_user(realm_a, "auditor@example.com", role="Auditor"))
    with realm_scope(realm_a):
        for actor in (as_user_a, auditor):
            for act in (
                lambda a: define_attribute(a, name="x1", label="x"),
                lambda a: change_attribute(a, attribute_id=badge.pk, label="x"),
                lambda a: delete_attribute(a, attribute_id=badge.pk),
            ):
                with pytest.raises(PermissionDenied):
                    act(actor)
        with pytest.raises(PermissionDenied):
            get_attribute(as_user_a, name="badge")


def test_a_change_is_told_and_no_change_is_not(realm_a, badge, as_owner_a):
    with realm_scope(realm_a):
        change_attribute(as_owner_a, attribute_id=badge.pk, label="Number of the badge", required=True)
        assert said(realm_a, "attribute.changed").payload["changes"] == {
            "label": ["Badge", "Number of the badge"],
            "required": [False, True],
        }
        before = AuditEvent.objects.count()
        change_attribute(as_owner_a, attribute_id=badge.pk, required=True)
        assert AuditEvent.objects.count() == before
        with pytest.raises(Invalid):
            change_attribute(as_owner_a, attribute_id=badge.pk, type="number")


def test_lg_10_a_person_changes_only_what_people_may(realm_a, realm_b, user_a, user_b, as_user_a, badge, level):
    with realm_scope(realm_a):
        set_attributes(as_user_a, user_id=user_a.pk, values={"badge": "A123"})
        for values in ({"level": 5}, {"unknown": 1}, {"badge": "B123", "level": 5}):
            with pytest.raises(Invalid):
                set_attributes(as_user_a, user_id=user_a.pk, values=values)
        other = make_user(realm_a, "eve@example.com")
        with pytest.raises((PermissionDenied, NotFound)):
            set_attributes(as_user_a, user_id=other.pk, values={"badge": "A123"})
        with pytest.raises((PermissionDenied, NotFound)):
            set_attributes(as_user_a, user_id=user_b.pk, values={"badge": "A123"})
    assert held(realm_a, user_a) == {"badge": "A123"}
    row = said(realm_a, "user.attributes_changed")
    assert row.payload["fields"] == ["badge"]
    assert "A123" not in str(row.payload)


def test_an_admin_sets_all_of_them_and_takes_one_away(realm_a, user_a, as_owner_a, badge, level):
    with realm_scope(realm_a):
        set_attributes(as_owner_a, user_id=user_a.pk, values={"level": "7", "badge": "A123"})
        set_attributes(as_owner_a, user_id=user_a.pk, values={"badge": ""})
        with pytest.raises(Invalid):
            set_attributes(as_owner_a, user_id=user_a.pk, values={"badge": "a"})
    assert held(realm_a, user_a) == {"level": 7}


def test_deleting_takes_every_value_and_counts_them(
    realm_a, realm_b, user_a, user_b, as_owner_a, as_owner_b, badge, level
):
    with realm_scope(realm_b):
        define_attribute(as_owner_b, name="badge", label="Badge")
        set_attributes(as_owner_b, user_id=user_b.pk, values={"badge": "B999"})
    with realm_scope(realm_a):
        set_attributes(as_owner_a, user_id=user_a.pk, values={"badge": "A123", "level": 7})
        assert holders_of_attribute(as_owner_a, name="badge") == 1
        assert delete_attribute(as_owner_a, attribute_id=badge.pk) == 1
        assert not Attribute.objects.filter(name="badge").exists()
        assert said(realm_a, "attribute.deleted").payload["people"] == 1
    assert held(realm_a, user_a) == {"level": 7}
    assert held(realm_b, user_b) == {"badge": "B999"}


def test_what_a_provider_says_goes_by_the_same_rules(realm_a, badge, level):
    with realm_scope(realm_a):
        user = sign_up_federated_user(
            anonymous_actor(realm_a.pk),
            email="kim@corp.example",
            attributes={"badge": "a1", "level": "12", "unknown": "x"},
        )
        assert user.attributes == {"level": 12}


def test_it_becomes_a_claim_with_a_scope_that_is_there_and_no_other_attribute_has(realm_a, badge, level, as_owner_a):
    def map_to(attribute, claim, scope):
        with realm_scope(realm_a):
            return change_attribute(as_owner_a, attribute_id=attribute.pk, claim=claim, scope=scope)

    map_to(badge, "badge_no", "profile")
    assert said(realm_a, "attribute.changed").payload["changes"] == {
        "claim": ["", "badge_no"],
        "scope": ["", "profile"],
    }
    for attribute, claim, scope, field in (
        (level, "badge_no", "profile", "claim"),
        (level, "level", "nowhere", "scope"),
        (level, "level", "", "scope"),
        (level, "", "profile", "claim"),
        (level, "level", "offline_access", "scope"),
    ):
        with pytest.raises(Invalid) as refused:
            map_to(attribute, claim, scope)
        assert refused.value.field == field
    # Saying the same again finds no other attribute in its own place.
    map_to(badge, "badge_no", "email")


def test_ti_02_a_scope_of_another_realm_releases_nothing(realm_a, realm_b, level, as_owner_a, as_owner_b):
    with realm_scope(realm_b):
        create_scope(as_owner_b, name="of.b", title="Of B")
    with realm_scope(realm_a), pytest.raises(Invalid) as refused:
        change_attribute(as_owner_a, attribute_id=level.pk, claim="level", scope="of.b")
    assert refused.value.reason == "no_such_scope"


def test_a_scope_that_releases_an_attribute_stays(realm_a, level, as_owner_a):
    with realm_scope(realm_a):
        api = create_resource_server(as_owner_a, identifier="https://api.example", name="API")
        scope = create_scope(as_owner_a, name="levels", title="Levels", resource_server_id=api.pk)
        change_attribute(as_owner_a, attribute_id=level.pk, claim="level", scope="levels")
        for act in (
            lambda: delete_scope(as_owner_a, scope_id=scope.pk),
            lambda: delete_resource_server(as_owner_a, resource_server_id=api.pk),
        ):
            with pytest.raises(Conflict) as kept:
                act()
            assert kept.value.reason == "scope_releases"
        change_attribute(as_owner_a, attribute_id=level.pk, claim="", scope="")
        delete_resource_server(as_owner_a, resource_server_id=api.pk)


def test_they_move_up_and_down_and_no_further_than_the_ends(realm_a, realm_b, badge, level, as_owner_a, as_user_a):
    def order():
        return [each.name for each in find_attributes(as_owner_a)]

    with realm_scope(realm_a):
        third = define_attribute(as_owner_a, name="a_third", label="Third")
        assert order() == ["badge", "level", "a_third"]
        move_attribute(as_owner_a, attribute_id=third.pk, up=True)
        assert order() == ["badge", "a_third", "level"]
        assert said(realm_a, "attribute.moved").payload["changes"] == {"position": [3, 2]}
        told = AuditEvent.objects.filter(type="attribute.moved").count()
        move_attribute(as_owner_a, attribute_id=badge.pk, up=True)
        move_attribute(as_owner_a, attribute_id=level.pk, up=False)
        assert order() == ["badge", "a_third", "level"]
        assert AuditEvent.objects.filter(type="attribute.moved").count() == told
        order_attributes(as_owner_a, names=["level", "badge"])
        assert order() == ["level", "badge", "a_third"]
        # What is added after a deletion still stands behind the others.
        delete_attribute(as_owner_a, attribute_id=level.pk)
        define_attribute(as_owner_a, name="a_last", label="Last")
        assert order() == ["badge", "a_third", "a_last"]
        for act in (
            lambda: move_attribute(as_user_a, attribute_id=badge.pk, up=False),
            lambda: order_attributes(as_user_a, names=["a_third"]),
        ):
            with pytest.raises(PermissionDenied):
                act()
    with realm_scope(realm_b), pytest.raises(NotFound):
        move_attribute(actor_of(make_user(realm_b, "own@example.com", role="Owner")), attribute_id=badge.pk, up=True)
