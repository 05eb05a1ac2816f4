"""The keys page and its dialogs."""

import pytest

from conftest import make_user
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.oauth.models import KeyStatus, SigningKey
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def owner(realm_a: Realm, owner_a: object) -> RealmClient:
    """A's owner in a browser."""
    return RealmClient(realm_a).sign_in(owner_a)  # type: ignore[arg-type]


def active(realm: Realm, alg: str = "ES256") -> SigningKey:
    with realm_scope(realm):
        return SigningKey.objects.get(alg=alg, status=KeyStatus.ACTIVE)


def test_the_page_shows_which_key_signs_and_no_private_part(owner: RealmClient, realm_a: Realm) -> None:
    whole, region = owner.get("/console/keys"), owner.get("/console/keys", **HTMX)
    assert whole.status_code == region.status_code == 200
    assert active(realm_a).kid in whole.text
    assert "<html" not in region.text
    assert '"d"' not in whole.text


def test_rotating_moves_to_the_next_key_and_keeps_the_former_one_published(owner: RealmClient, realm_a: Realm) -> None:
    before = active(realm_a)
    assert before.kid[:8] in owner.get("/console/keys/rotate", **HTMX).text
    assert owner.post("/console/keys/rotate").status_code == 302
    assert active(realm_a).kid != before.kid
    with realm_scope(realm_a):
        assert SigningKey.objects.get(pk=before.pk).status == KeyStatus.RETIRING
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="key.rotated").count() == 1
    assert before.kid in str(owner.get("/.well-known/jwks.json".replace("/.", "/realms/a/.")).json())


def test_withdrawing_wants_the_key_typed_and_unpublishes_it(owner: RealmClient, realm_a: Realm) -> None:
    before = active(realm_a)
    assert owner.post("/console/keys/withdraw", {"confirm": "wrong"}).status_code == 422
    assert active(realm_a).kid == before.kid
    assert owner.post("/console/keys/withdraw", {"confirm": before.kid[:8]}).status_code == 302
    assert before.kid not in str(owner.get("/realms/a/.well-known/jwks.json").json())


def test_the_other_algorithm_signs_once_it_is_chosen(owner: RealmClient, realm_a: Realm) -> None:
    assert owner.post("/console/keys/algorithm", {"alg": "none"}).status_code == 422
    assert owner.post("/console/keys/algorithm", {"alg": "RS256"}).status_code == 302
    assert active(realm_a, "RS256").kid in owner.get("/console/keys").text
    assert Realm.objects.get(pk=realm_a.pk).setting("signing_algorithm") == "RS256"


@pytest.mark.parametrize("rest", ["rotate", "withdraw", "algorithm"])
def test_one_who_may_only_read_can_not_touch_keys(realm_a: Realm, rest: str) -> None:
    client = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    before = active(realm_a)
    assert client.get("/console/keys").status_code == 200
    assert client.get(f"/console/keys/{rest}").status_code == 403
    assert client.post(f"/console/keys/{rest}", {"confirm": before.kid[:8], "alg": "RS256"}).status_code == 403
    assert active(realm_a).kid == before.kid


def test_ti_19_rotation_in_one_realm_leaves_the_other_alone(owner: RealmClient, realm_b: Realm) -> None:
    before = active(realm_b)
    owner.post("/console/keys/rotate")
    assert active(realm_b).kid == before.kid
