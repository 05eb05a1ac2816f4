"""Custom attributes in realm files: there and back, and pruned."""

import pytest
import yaml

from identity.accounts.models import Attribute, User
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realmfiles.commands import apply_realm_file
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.queries import export_realm
from identity.realmfiles.rules import parse
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db

FILE = {
    "version": 1,
    "realm": {"slug": "small"},
    "attributes": [
        {"name": "badge", "label": "Badge", "pattern": "[A-Z]\\d{3}", "required": True, "at_sign_up": True},
        {"name": "size", "label": "Size", "type": "choice", "choices": ["S", "M"], "person_may_change": True},
    ],
    "users": [{"email": "kim@example.com", "attributes": {"badge": "A123", "size": "M"}}],
}


def apply(data, **options):
    return apply_realm_file(system_actor(Realm().pk), document=parse(yaml.safe_dump(data)), environment={}, **options)


def test_attributes_and_values_are_applied_and_exported_alike():
    realm = apply(FILE).realm
    with realm_scope(realm):
        assert User.objects.get().attributes == {"badge": "A123", "size": "M"}
        exported = export_realm(system_actor(realm.pk))
    assert exported["attributes"][0]["pattern"] == "[A-Z]\\d{3}"
    assert apply(exported).diff == []
    assert apply(FILE).diff == []


def test_a_claim_and_the_order_are_the_file_s():
    mapped = {**FILE["attributes"][1], "claim": "https://small.example/size", "scope": "profile"}
    realm = apply({**FILE, "attributes": [FILE["attributes"][0], mapped]}).realm
    with realm_scope(realm):
        exported = export_realm(system_actor(realm.pk))
    assert exported["attributes"][1]["claim"] == "https://small.example/size"
    assert apply(exported).diff == []
    turned = {**exported, "attributes": list(reversed(exported["attributes"]))}
    assert apply(turned, dry_run=True).diff == ["~ attributes: badge, size → size, badge"]
    assert apply(turned).diff == ["~ attributes: badge, size → size, badge"]
    assert apply(turned).diff == []
    with realm_scope(realm):
        assert [each["name"] for each in export_realm(system_actor(realm.pk))["attributes"]] == ["size", "badge"]


def test_pruning_takes_what_the_file_does_not_name_with_its_values():
    realm = apply(FILE).realm
    less = {**FILE, "attributes": FILE["attributes"][:1], "users": [{"email": "kim@example.com"}]}
    apply(less)
    with realm_scope(realm):
        assert Attribute.objects.count() == 2
    apply(less, prune=True)
    with realm_scope(realm):
        assert User.objects.get().attributes == {"badge": "A123"}


@pytest.mark.parametrize(
    ("attribute", "path"),
    [
        ({"name": "size", "label": "Size", "type": "text"}, "attributes[0].type"),
        ({"name": "sub", "label": "x"}, "attributes[0].name"),
        ({"name": "new_one", "label": "x", "pattern": "(a+)+"}, "attributes[0].pattern"),
        ({"name": "new_one", "label": "x", "claim": "sub", "scope": "profile"}, "attributes[0].claim"),
        ({"name": "new_one", "label": "x", "claim": "tier", "scope": "nowhere"}, "attributes[0].scope"),
    ],
)
def test_what_can_not_be_is_refused_at_its_place(attribute, path):
    apply(FILE)
    with pytest.raises(RealmFileInvalid) as refused:
        apply({"version": 1, "realm": {"slug": "small"}, "attributes": [attribute]})
    assert refused.value.problems[0][0] == path
