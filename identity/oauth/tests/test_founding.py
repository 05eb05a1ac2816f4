"""Founding a realm: complete when it is there, and one row in its feed."""

import pytest

from conftest import actor_of, make_user
from identity.access.models import Role
from identity.accounts.models import Invitation
from identity.applications.models import Scope
from identity.audit.models import AuditEvent
from identity.audit.queries import EventFilter, find_events
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, PermissionDenied
from identity.oauth.commands.founding import found_realm
from identity.oauth.models import SigningKey
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db


def test_a_new_realms_feed_opens_with_one_row_and_its_trail_tells_all(as_operator: Actor):
    realm = found_realm(as_operator, slug="new", name="New")
    with realm_scope(realm):
        assert Role.objects.filter(built_in=True).exists()
        assert Scope.objects.exists()
        assert SigningKey.objects.exists()
    owner = actor_of(make_user(realm, "olivia@example.com", role="Owner"))
    with realm_scope(realm):
        before_olivia = AuditEvent.objects.filter(realm_id=realm.pk, type="user.created").earliest("id").pk
        assert [row.type for row in find_events(owner, EventFilter(feed=True)).filter(pk__lt=before_olivia)] == [
            "realm.created"
        ]
        told = {row.type for row in find_events(owner).filter(pk__lt=before_olivia)}
    assert {"realm.created", "role.created", "scope.created"} <= told


def test_the_first_owners_invitation_is_somebodys_act_and_stays_in_the_feed(as_operator: Actor):
    realm = found_realm(as_operator, slug="new", name="New", owner_email="olivia@example.com")
    with realm_scope(realm):
        assert Invitation.objects.get().email == "olivia@example.com"
    quiet = [row for row in AuditEvent.objects.filter(realm_id=realm.pk) if "provisioning" not in row.payload]
    assert {row.type for row in quiet} >= {"realm.created", "user.invited"}
    assert {row.actor_id for row in quiet} == {as_operator.id}


def test_what_fails_leaves_nothing(as_operator: Actor):
    with pytest.raises(Invalid) as refusal:
        found_realm(as_operator, slug="new", name="New", owner_email="no address")
    assert refusal.value.field == "owner_email"
    assert not Realm.objects.filter(slug="new").exists()


def test_who_is_no_operator_founds_nothing(as_owner_a: Actor, realm_a: Realm):
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        found_realm(as_owner_a, slug="new", name="New")
    assert not Realm.objects.filter(slug="new").exists()
