"""The second factor's policy in the console."""

import pytest

from conftest import make_user
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid
from identity.mfa.tests.conftest import with_app
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.commands import change_sign_in_policy

pytestmark = pytest.mark.django_db

POLICY = {
    "card": "second-factor",
    "second_factor": "required",
    "second_factor_methods": ["totp", "passkey"],
    "second_factor_grace": str(7 * 86400),
}


def test_a_stricter_policy_says_whom_it_hits_and_is_saved_then(as_owner, realm_a, owner_a, user_a):
    with realm_scope(realm_a):
        with_app(owner_a)
    assert "Second factor" in as_owner.get("/console/sign-in/second-factor").text
    page = as_owner.post("/console/sign-in/second-factor", POLICY)
    assert page.status_code == 422
    assert "no second factor and has to set one up" in page.text
    seen = next(s["seen_hits"] for s in page.context["sections"] if s.get("seen_hits"))
    done = as_owner.post("/console/sign-in/second-factor", {**POLICY, "seen_hits": seen})
    assert done.status_code == 302
    realm = Realm.objects.get(pk=realm_a.pk)
    assert realm.setting("second_factor") == "required"
    assert realm.setting("second_factor_grace") == 7 * 86400
    assert realm.setting("second_factor_methods") == ["totp", "passkey"]


def test_trust_is_chosen_in_days(as_owner, realm_a):
    done = as_owner.post(
        "/console/sign-in/second-factor", {"card": "trust", "trusted_device_lifetime": str(30 * 86400)}
    )
    assert done.status_code == 302
    assert Realm.objects.get(pk=realm_a.pk).setting("trusted_device_lifetime") == 30 * 86400
    bad = as_owner.post("/console/sign-in/second-factor", {"card": "trust", "trusted_device_lifetime": "-1"})
    assert bad.status_code == 422


def test_who_may_not_change_settings_only_looks(realm_a):
    auditor = make_user(realm_a, "audit@example.com", role="Auditor")
    client = RealmClient(realm_a).sign_in(auditor)
    assert client.get("/console/sign-in/second-factor").status_code == 200
    assert client.post("/console/sign-in/second-factor", POLICY).status_code == 403


def test_a_second_step_is_never_demanded_where_none_can_be_added(as_owner, realm_a):
    nothing = {**POLICY, "second_factor_methods": []}
    refused = as_owner.post("/console/sign-in/second-factor", nothing)
    assert refused.status_code == 422
    assert "Offer at least one while everybody needs one." in refused.text
    assert Realm.objects.get(pk=realm_a.pk).setting("second_factor") == "optional"
    optional = as_owner.post("/console/sign-in/second-factor", {**nothing, "second_factor": "optional"})
    assert optional.status_code == 302


def test_methods_that_go_are_said_to_go_on_to_work_for_who_has_them(as_owner, realm_a, owner_a):
    with realm_scope(realm_a):
        with_app(owner_a)
    page = as_owner.post(
        "/console/sign-in/second-factor",
        {**POLICY, "second_factor": "optional", "second_factor_methods": ["passkey"]},
    )
    assert page.status_code == 422
    assert "1 person has a method that can’t be added any more; it goes on to work." in page.text


def test_what_the_installation_demands_counts_when_methods_are_taken_away(as_owner, realm_a, settings):
    settings.REALMKEEP_SETTING_DEFAULTS = {"second_factor": "required"}
    with realm_scope(realm_a), pytest.raises(Invalid) as refusal:
        change_sign_in_policy(system_actor(realm_a.pk), changes={"second_factor_methods": []})
    assert refusal.value.field == "second_factor_methods"
