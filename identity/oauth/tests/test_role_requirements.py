"""Roles with requirements in tokens, refreshed tokens and userinfo: nothing of them until they are met."""

import pytest

from conftest import actor_of
from identity.access.commands import assign_role, create_role, set_role_requirements
from identity.kernel import clock
from identity.kernel.context import realm_scope

pytestmark = pytest.mark.django_db


def test_a_role_is_in_tokens_once_its_requirement_is_met(flow, owner_a, user_a):
    with realm_scope(flow.realm):
        actor = actor_of(owner_a)
        role = create_role(actor, kind="application", name="approver")
        assign_role(actor, user_id=user_a.pk, role_id=role.pk)
        set_role_requirements(actor, role_id=role.pk, requirements=["second_factor", "verified_email"])
    found = flow.tokens(scope="openid profile email")
    assert "roles" not in flow.decoded(found["access_token"]).claims
    with realm_scope(flow.realm):
        user_a.second_factor_since = clock.now()
        user_a.save(update_fields=["second_factor_since"])
    found = flow.tokens(scope="openid profile email")
    assert flow.decoded(found["access_token"]).claims["roles"] == ["approver"]
    assert flow.decoded(found["id_token"]).claims["roles"] == ["approver"]
