"""Refresh tokens of a person of whom the realm or the application wants more than when they were issued."""

from datetime import timedelta

import pytest

from identity.accounts.commands import require_new_password
from identity.accounts.models import User, UserStatus
from identity.applications.commands import change_application
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.mfa.tests.conftest import change
from identity.oauth.tests.flows import Flow
from identity.sessions.rules import ACR_TWO

pytestmark = pytest.mark.django_db


def require(flow: Flow, acr: str) -> None:
    with realm_scope(flow.realm):
        change_application(system_actor(flow.realm.pk), application_id=flow.application.pk, required_acr=acr)


def test_oa_17_a_class_that_an_application_requires_now_stops_the_tokens_that_never_reached_it(flow: Flow) -> None:
    held, code = flow.tokens(), flow.code()
    require(flow, ACR_TWO)
    assert flow.redeem(code).json()["error"] == "invalid_grant"
    refused = flow.refresh(held["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert flow.introspect(held["refresh_token"])["active"] is False
    require(flow, "")
    assert flow.refresh(held["refresh_token"]).status_code == 200, "it was no theft, and nothing was revoked"


@pytest.mark.parametrize("ends", [False, True])
def test_a_password_that_has_to_be_replaced_stops_refreshing_only_where_sessions_end(
    flow: Flow, user_a: User, as_owner_a: Actor, ends: bool
) -> None:
    held = flow.tokens()
    with realm_scope(flow.realm):
        require_new_password(as_owner_a, user_id=user_a.pk, end_sessions=ends)
    assert flow.refresh(held["refresh_token"]).status_code == (400 if ends else 200)


def test_a_factor_that_is_overdue_is_asked_for_at_the_next_sign_in(flow: Flow, user_a: User) -> None:
    held = flow.tokens()
    change(flow.realm, second_factor="required")
    with realm_scope(flow.realm):
        User.objects.filter(pk=user_a.pk).update(factor_grace_until=clock.now() - timedelta(days=1))
    answer = flow.refresh(held["refresh_token"])
    assert answer.status_code == 200
    with realm_scope(flow.realm):
        User.objects.filter(pk=user_a.pk).update(status=UserStatus.DISABLED)
    assert flow.refresh(answer.json()["refresh_token"]).json()["error"] == "invalid_grant"
