"""Codes and refresh tokens under real concurrency, on both databases: N threads released together (harness H4)."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from conftest import make_application, make_realm, make_user
from identity.kernel.context import realm_scope
from identity.oauth.models import FamilyStatus, Grant, RefreshFamily, RefreshToken
from identity.oauth.tests.flows import Flow, said
from identity.realms.models import Realm

THREADS = 16
ROUNDS = 5


def together(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `count` threads got that did this at the same moment, each on its own connection."""
    barrier, results, errors = threading.Barrier(count), [None] * count, []

    def run(index: int) -> None:
        try:
            barrier.wait(30)
            results[index] = act(index)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    return results


@pytest.fixture
def racing(transactional_db: None) -> Flow:
    """A signed-in flow on a database that several connections see."""
    realm = make_realm("race", "Race")
    user = make_user(realm, "dana@example.com", name="Dana")
    return Flow(realm, *make_application(realm)).sign_in(user).consented(user)


def live_families(realm: Realm) -> int:
    with realm_scope(realm):
        return RefreshFamily.objects.filter(status=FamilyStatus.ACTIVE).count()


def race_codes(flow: Flow, threads: int) -> None:
    for _ in range(ROUNDS):
        code = flow.code()
        responses = together(threads, lambda _, code=code: flow.redeem(code))
        assert Counter(response.status_code for response in responses) == {200: 1, 400: threads - 1}
        assert {response.json()["error"] for response in responses if response.status_code == 400} == {"invalid_grant"}
        (winner,) = (response.json() for response in responses if response.status_code == 200)
        # A second use is a second use, however close: what the first one gave is revoked (OA-05).
        assert flow.introspect(winner["access_token"]) == {"active": False}
    assert live_families(flow.realm) == 0
    assert len(said(flow.realm, "token.issued")) == ROUNDS
    assert len(said(flow.realm, "code.replayed")) == ROUNDS
    with realm_scope(flow.realm):
        assert RefreshFamily.objects.count() == Grant.objects.exclude(used_at=None).count() == ROUNDS


def race_refreshes(flow: Flow, threads: int) -> None:
    token = flow.tokens()["refresh_token"]
    for generation in range(1, ROUNDS + 1):
        responses = together(threads, lambda _, token=token: flow.refresh(token))
        assert Counter(response.status_code for response in responses) == {200: 1, 400: threads - 1}
        (winner,) = (response.json() for response in responses if response.status_code == 200)
        token = winner["refresh_token"]
        with realm_scope(flow.realm):
            assert RefreshToken.objects.filter(rotated_at=None).get().generation == generation
        assert flow.introspect(winner["access_token"])["active"] is True
    assert live_families(flow.realm) == 1
    assert said(flow.realm, "refresh.reused") == []
    assert len(said(flow.realm, "token.refreshed")) == ROUNDS


@pytest.mark.postgres
def test_oa_05_one_of_many_redeems_a_code_on_postgresql(on_postgresql, racing: Flow):
    race_codes(racing, THREADS)


def test_oa_05_one_of_many_redeems_a_code(racing: Flow):
    race_codes(racing, 6)


@pytest.mark.postgres
def test_oa_14_one_of_many_refreshes_on_postgresql(on_postgresql, racing: Flow):
    race_refreshes(racing, THREADS)


def test_oa_14_one_of_many_refreshes(racing: Flow):
    race_refreshes(racing, 6)


def test_a_refresh_that_races_a_revocation_leaves_nothing_alive(racing: Flow):
    for _ in range(ROUNDS):
        tokens = racing.tokens()
        acts = [lambda t=tokens: racing.refresh(t["refresh_token"]), lambda t=tokens: racing.revoke(t["access_token"])]
        refreshed, revoked = together(2, lambda index, acts=acts: acts[index]())
        assert revoked.status_code == 200
        if refreshed.status_code == 200:
            assert racing.introspect(refreshed.json()["access_token"]) == {"active": False}
            assert racing.refresh(refreshed.json()["refresh_token"]).status_code == 400
    assert live_families(racing.realm) == 0


def test_a_form_that_is_sent_twice_makes_one_consent(racing: Flow):
    from identity.consent.models import Consent

    with realm_scope(racing.realm):
        Consent.objects.all().delete()
    page = racing.authorize()
    responses = together(4, lambda _: racing.decide(page))
    assert {response.status_code for response in responses} == {303}
    with realm_scope(racing.realm):
        assert Consent.objects.count() == 1


def test_two_rotations_at_once_leave_one_key_that_signs(racing: Flow):
    from identity.kernel.actor import system_actor
    from identity.oauth.commands import rotate_signing_key
    from identity.oauth.models import KeyStatus, SigningKey

    def rotate(_: int) -> None:
        with realm_scope(racing.realm):
            rotate_signing_key(system_actor(racing.realm.pk))

    together(3, rotate)
    with realm_scope(racing.realm):
        found = Counter(SigningKey.objects.values_list("status", flat=True))
    assert found == {KeyStatus.ACTIVE: 1, KeyStatus.NEXT: 1, KeyStatus.RETIRING: 3}
