"""Signing keys: published before they sign, and until what they signed has expired (OA-23)."""

from datetime import timedelta

import pytest
from django.db import connection
from joserfc import jws

from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.crypto import SealBroken, unseal
from identity.kernel.errors import Invalid, PermissionDenied
from identity.oauth import rules, signing
from identity.oauth.commands import ensure_signing_keys, retire_due_keys, rotate_signing_key
from identity.oauth.models import KeyStatus, SigningKey
from identity.oauth.queries import get_signing_key, signing_keys
from identity.oauth.tests.flows import Flow, said
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm


def kids(flow: Flow) -> set[str]:
    return {key["kid"] for key in flow.document("jwks.json")["keys"]}


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).protected["kid"])


def rotate(flow: Flow, **options) -> SigningKey:
    with realm_scope(flow.realm):
        return rotate_signing_key(system_actor(flow.realm.pk), **options)


def test_a_new_realm_has_a_key_that_signs_and_a_next_one(realm_a: Realm):
    with realm_scope(realm_a):
        found = dict(SigningKey.objects.values_list("status", "alg"))
    assert found == {KeyStatus.ACTIVE: "ES256", KeyStatus.NEXT: "ES256"}
    assert [event.payload["status"] for event in said(realm_a, "key.created")] == ["active", "next"]


def test_ensuring_twice_makes_nothing(realm_a: Realm):
    with realm_scope(realm_a):
        ensure_signing_keys(system_actor(realm_a.pk))
        assert SigningKey.objects.count() == 2


def test_the_document_holds_public_parts_only(flow: Flow):
    for key in flow.document("jwks.json")["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_oa_23_the_next_key_is_known_before_it_signs(flow: Flow):
    before = kids(flow)
    rotate(flow)
    assert kid_of(flow.tokens()["access_token"]) in before


def test_oa_23_old_tokens_verify_through_the_overlap_and_not_after(flow: Flow):
    old = flow.tokens()
    rotate(flow)
    new = flow.tokens()
    assert kid_of(old["access_token"]) != kid_of(new["access_token"])
    for token in (old["access_token"], new["access_token"]):
        assert flow.introspect(token)["active"] is True
        assert flow.decoded(token)
    with clock.clock_at(clock.now() + rules.KEY_OVERLAP + timedelta(seconds=1)):
        # The job has not run: the time alone decides.
        assert kid_of(old["access_token"]) not in kids(flow)
        with realm_scope(flow.realm):
            assert len(retire_due_keys(system_actor(flow.realm.pk))) == 1
            assert retire_due_keys(system_actor(flow.realm.pk)) == []
    assert len(said(flow.realm, "key.retired")) == 1


def test_the_overlap_outlasts_every_access_token(realm_a: Realm):
    from identity.realms.rules import BOUNDS

    assert timedelta(seconds=BOUNDS["access_token_lifetime"][1]) < rules.KEY_OVERLAP


def test_oa_23_a_compromised_key_is_refused_at_once(flow: Flow):
    old = flow.tokens()
    rotate(flow, withdraw_former=True)
    assert kid_of(old["access_token"]) not in kids(flow)
    assert flow.introspect(old["access_token"]) == {"active": False}
    assert flow.userinfo(old["access_token"]).status_code == 401
    answer = flow.refresh(old["refresh_token"])
    assert answer.status_code == 200, "the person need not sign in again"
    (event,) = said(flow.realm, "key.rotated")
    assert event.payload["withdrawn"] is True


def test_rotation_needs_the_permission(as_user_a, as_owner_a, realm_a: Realm):
    with realm_scope(realm_a):
        with pytest.raises(PermissionDenied):
            rotate_signing_key(as_user_a)
        with pytest.raises(PermissionDenied):
            signing_keys(as_user_a)
        key = rotate_signing_key(as_owner_a)
        assert get_signing_key(as_owner_a, key_id=key.pk).status == KeyStatus.ACTIVE
        assert said(realm_a, "key.rotated")[0].actor_id == as_owner_a.id
        with pytest.raises(Invalid):
            rotate_signing_key(as_owner_a, alg="none")


def test_ti_19_rotating_in_a_leaves_b_alone(flow: Flow, flow_b: Flow):
    before = kids(flow_b)
    rotate(flow)
    assert kids(flow_b) == before
    assert kids(flow).isdisjoint(before)


def test_rs256_is_available_and_both_kinds_verify(flow: Flow):
    old = flow.tokens()
    with realm_scope(flow.realm):
        actor = system_actor(flow.realm.pk)
        change_realm_settings(actor, changes={"signing_algorithm": "RS256"})
        ensure_signing_keys(actor)
    new = flow.tokens()
    assert jws.extract_compact(new["access_token"].encode()).protected["alg"] == "RS256"
    assert flow.decoded(new["id_token"])
    for tokens in (old, new):
        assert flow.introspect(tokens["access_token"])["active"] is True
    assert set(flow.document()["id_token_signing_alg_values_supported"]) == {"ES256", "RS256"}


def test_a_realm_that_just_changed_its_algorithm_makes_the_key_itself(flow: Flow):
    with realm_scope(flow.realm):
        change_realm_settings(system_actor(flow.realm.pk), changes={"signing_algorithm": "RS256"})
    tokens = flow.tokens()
    assert jws.extract_compact(tokens["access_token"].encode()).protected["alg"] == "RS256"


def test_dp_01_private_parts_are_sealed_and_bound_to_their_row(realm_a: Realm):
    with realm_scope(realm_a):
        one, two = SigningKey.objects.order_by("id")
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_sealed FROM identity_signingkey")
        stored = b"".join(bytes(row[0]) for row in cursor.fetchall())
    assert b'"d"' not in stored
    opened = unseal(one.private_sealed, realm_id=realm_a.pk, table=signing.TABLE, pk=one.pk, field=signing.FIELD)
    assert b'"d"' in opened
    with pytest.raises(SealBroken):
        unseal(two.private_sealed, realm_id=realm_a.pk, table=signing.TABLE, pk=one.pk, field=signing.FIELD)
