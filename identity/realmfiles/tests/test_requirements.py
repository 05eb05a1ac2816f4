"""What roles and applications ask of their people, in realm files: applied, exported, the same again."""

import pytest

from identity.access.models import Role
from identity.applications.models import Application
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realmfiles.queries import export_realm
from identity.realmfiles.tests.test_realm_files import apply
from identity.sessions.rules import ACR_TWO

pytestmark = pytest.mark.django_db

FILE = """
version: 1
realm: {slug: asks, name: Asks}
applications:
  - {client_id: vault, name: Vault, redirect_uris: [https://vault.example/cb], required_acr: "urn:realmkeep:acr:2"}
roles:
  - {name: approver, requirements: [second_factor]}
  - {name: Auditor, kind: console, requirements: [verified_email, second_factor]}
"""


def test_requirements_come_from_a_file_and_go_back_into_it() -> None:
    realm = apply(FILE).realm
    with realm_scope(realm):
        assert Application.objects.get(client_id="vault").required_acr == ACR_TWO
        assert Role.objects.get(name="approver").requirements == ["second_factor"]
        assert Role.objects.get(name="Auditor").requirements == ["verified_email", "second_factor"]
        exported = export_realm(system_actor(realm.pk))
    assert exported["applications"][0]["required_acr"] == ACR_TWO
    named = {role["name"]: role for role in exported["roles"]}
    assert named["approver"]["requirements"] == ["second_factor"]
    assert named["Auditor"] == {
        "name": "Auditor",
        "kind": "console",
        "requirements": ["verified_email", "second_factor"],
    }
    assert apply(FILE).diff == []
    assert apply(FILE.replace("requirements: [second_factor]", "requirements: []"), prune=True).diff
    with realm_scope(realm):
        assert Role.objects.get(name="approver").requirements == []
        assert Role.objects.filter(name="Auditor").exists()
