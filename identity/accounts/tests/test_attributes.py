"""Custom attributes: defined by admins, filled in by people, gone without a trace when they are deleted."""

import pytest

from conftest import actor_of, make_user
from identity.accounts.commands import (
    change_attribute,
    define_attribute,
    delete_attribute,
    set_attributes,
    sign_up_federated_user,
)
from identity.accounts.models import Attribute, User
from identity.accounts.queries import find_attributes, get_attribute, holders_of_attribute
from identity.audit.models import AuditEvent
from identity.kernel.actor import anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, NotFound, PermissionDenied

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
