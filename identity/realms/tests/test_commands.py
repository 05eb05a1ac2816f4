"""Realms: created, changed, suspended, deleted and brought back."""

import uuid
from datetime import timedelta

import pytest

from conftest import make_realm
from identity.audit.models import AuditEvent
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.realms import commands
from identity.realms.models import Realm, RealmStatus
from identity.realms.queries import list_realms


def told(realm: Realm) -> AuditEvent:
    return AuditEvent.objects.filter(realm_id=realm.pk, type__startswith="realm.").latest("id")


def test_an_operator_creates_a_realm_and_its_own_trail_says_who(platform: Realm, as_operator: Actor) -> None:
    with realm_scope(platform):
        realm = commands.create_realm(as_operator, slug="north", name="  North  wind ")
    assert (realm.slug, realm.name, realm.status) == ("north", "North wind", RealmStatus.ACTIVE)
    row = told(realm)
    assert (row.type, row.actor_type, row.actor_id, row.actor_realm) == (
        "realm.created",
        "operator",
        as_operator.id,
        platform.pk,
    )


@pytest.mark.parametrize("slug", ["", "A", "a_b", "-a", "a-", "аcme", "a/b", "a%2f", "x" * 64, "realms", "www"])
def test_ti_14_a_slug_is_plain_ascii_and_never_reserved(slug: str, db: None) -> None:
    with pytest.raises(Invalid) as refused:
        commands.create_realm(system_actor(uuid.uuid4()), slug=slug, name="X")
    assert refused.value.field == "slug"


def test_ti_22_a_slug_is_never_used_again(platform: Realm, as_operator: Actor) -> None:
    realm = make_realm("gone", "Gone")
    with realm_scope(platform):
        commands.delete_realm(as_operator, realm_id=realm.pk, typed_slug="gone")
        with pytest.raises(Invalid) as refused:
            commands.create_realm(as_operator, slug="gone", name="Another")
    assert refused.value.reason == "slug_taken"


def test_suspending_resuming_and_deleting_are_said_in_the_realms_own_trail(
    platform: Realm, as_operator: Actor, realm_a: Realm
) -> None:
    with realm_scope(platform):
        commands.suspend_realm(as_operator, realm_id=realm_a.pk, reason="unpaid")
        assert told(realm_a).payload["reason"] == "unpaid"
        with pytest.raises(Conflict):
            commands.suspend_realm(as_operator, realm_id=realm_a.pk)
        commands.resume_realm(as_operator, realm_id=realm_a.pk)
        assert Realm.objects.get(pk=realm_a.pk).is_active
        with pytest.raises(Invalid) as refused:
            commands.delete_realm(as_operator, realm_id=realm_a.pk, typed_slug="A")
        assert refused.value.field == "typed_slug"
        deleted = commands.delete_realm(as_operator, realm_id=realm_a.pk, typed_slug="a")
    assert deleted.status == RealmStatus.DELETING
    assert deleted.purge_after is not None
    assert deleted.status_changed_at is not None
    assert deleted.purge_after - deleted.status_changed_at > timedelta(days=29)
    with realm_scope(platform):
        assert commands.resume_realm(as_operator, realm_id=realm_a.pk).purge_after is None


def test_the_platform_itself_can_not_be_suspended_or_deleted(platform: Realm, as_operator: Actor) -> None:
    with realm_scope(platform):
        for act in (
            lambda: commands.suspend_realm(as_operator, realm_id=platform.pk),
            lambda: commands.delete_realm(as_operator, realm_id=platform.pk, typed_slug="platform"),
        ):
            with pytest.raises(Conflict):
                act()


def test_ac_01_an_owner_of_a_realm_is_no_operator(realm_a: Realm, realm_b: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        for act in (
            lambda: commands.create_realm(as_owner_a, slug="mine", name="Mine"),
            lambda: commands.suspend_realm(as_owner_a, realm_id=realm_b.pk),
            lambda: commands.delete_realm(as_owner_a, realm_id=realm_a.pk, typed_slug="a"),
            lambda: list(list_realms(as_owner_a)),
        ):
            with pytest.raises(PermissionDenied):
                act()
    assert Realm.objects.get(pk=realm_b.pk).is_active


def test_an_unknown_realm_is_not_found(platform: Realm, as_operator: Actor) -> None:
    with realm_scope(platform), pytest.raises(NotFound):
        commands.suspend_realm(as_operator, realm_id=uuid.uuid4())


def test_settings_change_by_name_and_say_what_differs(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        changed = commands.change_realm_settings(
            as_owner_a, changes={"access_token_lifetime": 600, "sign_up_open": True}
        )
        again = commands.change_realm_settings(as_owner_a, changes={"access_token_lifetime": 600})
    assert changed.setting("access_token_lifetime") == 600
    assert again.version == changed.version
    assert told(realm_a).payload["changes"] == {"access_token_lifetime": [900, 600]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"nothing": 1}, "nothing"),
        ({"sign_up_open": "yes"}, "sign_up_open"),
        ({"access_token_lifetime": 5}, "access_token_lifetime"),
        ({"access_token_lifetime": True}, "access_token_lifetime"),
        ({"session_idle_lifetime": 8 * 86400}, "session_idle_lifetime"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"signing_algorithm": "HS256"}, "signing_algorithm"),
        ({"language": "english"}, "language"),
    ],
)
def test_a_bad_setting_is_refused_by_name(
    realm_a: Realm, as_owner_a: Actor, changes: dict[str, object], field: str
) -> None:
    with realm_scope(realm_a), pytest.raises(Invalid) as refused:
        commands.change_realm_settings(as_owner_a, changes=changes)
    assert refused.value.field == field
    assert Realm.objects.get(pk=realm_a.pk).version == realm_a.version
