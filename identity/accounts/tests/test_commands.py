"""Accounts: made, changed, taken away. State, event, refusal for a missing permission and for another realm."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password

from conftest import PASSWORD, actor_of, make_application, make_user
from identity.access.commands import add_member, assign_role, create_organization, grant_object
from identity.access.models import Role
from identity.accounts.addresses import EmailAddress
from identity.accounts.commands import (
    change_email,
    change_identifiers,
    change_profile,
    create_user,
    delete_user,
    disable_user,
    enable_user,
    lock_user,
    new_password_hash,
    send_password_reset_link,
    set_password,
    sign_up_user,
    unlock_user,
)
from identity.accounts.models import User, UserStatus
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.courier.models import Message
from identity.gate.actors import actor_for_user
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.oauth.models import RefreshFamily
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def said(realm: Realm, type_: str) -> AuditEvent:
    return AuditEvent.objects.filter(realm_id=realm.pk, type=type_).latest("id")


def signed_in(realm: Realm, user: User) -> Session:
    RealmClient(realm).sign_in(user)
    with realm_scope(realm):
        return Session.objects.filter(user=user).latest("id")


# --- creation


@pytest.mark.usefixtures("product_hashes")
def test_a_created_account_is_stored_canonically_and_said(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        user = create_user(
            as_owner_a,
            email=" Kim@Example.COM",
            username="KIM",
            phone="0049 30 123456",
            name="Kim  Park",
            password=PASSWORD,
        )
        user.refresh_from_db()
    assert (user.email, user.username, user.phone, user.name) == ("kim@example.com", "kim", "+4930123456", "Kim Park")
    assert user.email_verified_at is None
    assert user.check_password(PASSWORD)
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    event = said(realm_a, "user.created")
    assert (event.target_id, event.actor_id, event.payload) == (user.pk, as_owner_a.id, {"how": "admin"})
    read = readable([event])[0]
    assert read.personal["email"] == "kim@example.com"
    assert read.sentence() == "Olivia Owner created the account of Kim Park"
    row = EmailAddress.objects.get(user_id=user.pk)
    assert (row.email, row.verified, row.primary) == ("kim@example.com", False, True)


def test_ti_01_the_same_identifiers_in_two_realms_are_two_people(realm_a: Realm, realm_b: Realm) -> None:
    made = []
    for realm in (realm_a, realm_b):
        with realm_scope(realm):
            made.append(
                create_user(
                    system_actor(realm.pk), email="kim@example.com", username="kim", phone="+4930123456", key="kim",
                    password=PASSWORD, email_verified=True,
                )
            )  # fmt: skip
    assert made[0].pk != made[1].pk
    assert EmailAddress.objects.filter(email="kim@example.com", verified=True).count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "DANA@example.com"}, "email"),
        ({"username": "Dana"}, "username"),
        ({"phone": "0049 30 123456"}, "phone"),
        ({"email": "new@example.com", "key": "dana"}, "key"),
    ],
)
def test_what_somebody_in_the_realm_has_is_taken(
    realm_a: Realm, as_owner_a: Actor, fields: dict[str, str], field: str
) -> None:
    with realm_scope(realm_a):
        create_user(as_owner_a, email="dana@example.com", username="dana", phone="+4930123456", key="dana")
        with pytest.raises(Invalid) as refused:
            create_user(as_owner_a, **fields)
    assert (refused.value.field, refused.value.reason) == (field, f"{field}_taken")


def test_an_account_needs_an_identifier_and_a_good_password(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        for fields, field in (
            ({}, "email"),
            ({"email": "x"}, "email"),
            ({"email": "kim@example.com", "password": "short"}, "password"),
            ({"email": "kim@example.com", "password": "kim@example.com"}, "password"),
            ({"email": "kim@example.com", "password_hash": "plain"}, "password_hash"),
            ({"email": "kim@example.com", "password_hash": make_password("x"), "password": PASSWORD}, "password"),
            ({"email": "kim@example.com", "language": "xx"}, "language"),
            ({"email": "kim@example.com", "time_zone": "Mars/Base"}, "time_zone"),
        ):
            with pytest.raises(Invalid) as refused:
                create_user(as_owner_a, **fields)
            assert refused.value.field == field
        assert User.objects.filter(email="kim@example.com").count() == 0


def test_a_hash_from_a_realm_file_is_kept_and_verifies(realm_a: Realm) -> None:
    encoded = make_password(PASSWORD)
    with realm_scope(realm_a):
        user = create_user(system_actor(realm_a.pk), email="kim@example.com", password_hash=encoded)
    assert user.password == encoded
    assert user.check_password(PASSWORD)


def test_who_lacks_users_write_makes_nobody(realm_a: Realm, as_user_a: Actor) -> None:
    with realm_scope(realm_a), pytest.raises(PermissionDenied) as refused:
        create_user(as_user_a, email="kim@example.com")
    assert refused.value.permission == Permission.USERS_WRITE


def test_lg_10_signing_up_sets_nothing_but_name_address_and_password(realm_a: Realm) -> None:
    nobody = anonymous_actor(realm_a.pk)
    with realm_scope(realm_a):
        encoded = new_password_hash(PASSWORD, email="kim@example.com", name="Kim")
        user = sign_up_user(nobody, email="kim@example.com", phone="+4930123456", username="kim", password_hash=encoded)
        assert (user.email_verified_at, user.status, user.is_superuser) == (None, UserStatus.ACTIVE, False)
        assert (user.phone, user.username) == (None, None)
        with pytest.raises(TypeError):
            sign_up_user(nobody, email="kim2@example.com", status="active")  # type: ignore[call-arg]
        with pytest.raises(PermissionDenied):
            create_user(nobody, email="kim3@example.com", password=PASSWORD, email_verified=True)


def test_signing_up_is_refused_where_the_realm_is_closed(platform: Realm) -> None:
    with realm_scope(platform), pytest.raises(Conflict) as refused:
        sign_up_user(anonymous_actor(platform.pk), email="kim@example.com")
    assert refused.value.reason == "sign_up_closed"


# --- profile and identifiers


def test_a_person_changes_the_own_profile_and_nothing_else(realm_a: Realm, user_a: User, as_user_a: Actor) -> None:
    with realm_scope(realm_a):
        user = change_profile(as_user_a, user_id=user_a.pk, name="Dana O.", time_zone="Europe/Berlin")
        assert (user.name, user.time_zone) == ("Dana O.", "Europe/Berlin")
        assert said(realm_a, "user.profile_changed").payload["fields"] == ["name", "time_zone"]
        before = AuditEvent.objects.count()
        change_profile(as_user_a, user_id=user_a.pk, name="Dana O.")
        assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    "field",
    [
        "email",
        "email_verified_at",
        "phone_verified_at",
        "status",
        "realm",
        "realm_id",
        "password",
        "is_superuser",
        "key",
    ],
)
def test_lg_10_the_own_profile_is_no_way_to_anything_else(
    realm_a: Realm, user_a: User, as_user_a: Actor, field: str
) -> None:
    with realm_scope(realm_a), pytest.raises(Invalid):
        change_profile(as_user_a, user_id=user_a.pk, **{field: "x"})


def test_ti_02_a_person_of_another_realm_is_not_there(realm_a: Realm, as_owner_a: Actor, user_b: User) -> None:
    with realm_scope(realm_a):
        for act in (
            change_profile,
            disable_user,
            enable_user,
            lock_user,
            unlock_user,
            delete_user,
            send_password_reset_link,
        ):
            with pytest.raises(NotFound):
                act(as_owner_a, user_id=user_b.pk)
        for act, fields in ((set_password, {"password": PASSWORD}), (change_email, {"email": "x@example.com"})):
            with pytest.raises((NotFound, PermissionDenied)):
                act(as_owner_a, user_id=user_b.pk, **fields)
    with realm_scope(Realm.objects.get(slug="b")):
        assert User.objects.get(pk=user_b.pk).status == UserStatus.ACTIVE


def test_identifiers_change_but_the_last_one_stays(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        user = change_identifiers(as_owner_a, user_id=user_a.pk, phone="+49 30 123456", username="Dana")
        assert (user.phone, user.username, user.phone_verified_at) == ("+4930123456", "dana", None)
        assert said(realm_a, "user.identifiers_changed").payload["fields"] == ["phone", "username"]
        other = create_user(as_owner_a, username="kim")
        for fields in ({"username": "DANA"}, {"phone": "+4930123456"}, {"username": ""}):
            with pytest.raises(Invalid):
                change_identifiers(as_owner_a, user_id=other.pk, **fields)


# --- taking access away


@pytest.fixture
def live_access(realm_a: Realm, user_a: User, app_a: tuple) -> tuple[Session, RefreshFamily]:
    session = signed_in(realm_a, user_a)
    with realm_scope(realm_a):
        family = RefreshFamily(
            user=user_a, application=app_a[0], session=session, offline=True,
            created_at=clock.now(), expires_at=clock.now() + timedelta(days=1),
        )  # fmt: skip
        family.save()
    return session, family


def test_se_05_a_disabled_person_loses_sessions_and_families_at_once(
    realm_a: Realm, user_a: User, as_owner_a: Actor, live_access: tuple[Session, RefreshFamily]
) -> None:
    session, family = live_access
    with realm_scope(realm_a):
        user = disable_user(as_owner_a, user_id=user_a.pk, reason="left")
        session.refresh_from_db()
        family.refresh_from_db()
    assert (user.status, user.is_active) == (UserStatus.DISABLED, False)
    assert (session.status, session.end_reason, session.data) == ("ended", "user_disabled", {})
    assert family.status == "revoked"
    event = said(realm_a, "user.disabled")
    assert event.payload == {"sessions_ended": 1}
    assert readable([event])[0].personal["reason"] == "left"


def test_enabling_does_not_bring_sessions_back(
    realm_a: Realm, user_a: User, as_owner_a: Actor, live_access: tuple[Session, RefreshFamily]
) -> None:
    with realm_scope(realm_a):
        disable_user(as_owner_a, user_id=user_a.pk)
        with pytest.raises(Conflict):
            disable_user(as_owner_a, user_id=user_a.pk)
        assert enable_user(as_owner_a, user_id=user_a.pk).is_active
        with pytest.raises(Conflict):
            enable_user(as_owner_a, user_id=user_a.pk)
        live_access[0].refresh_from_db()
    assert live_access[0].status == "ended"
    assert said(realm_a, "user.enabled").target_id == user_a.pk


def test_a_lock_ends_by_itself_or_by_unlocking(
    realm_a: Realm, user_a: User, as_owner_a: Actor, live_access: tuple[Session, RefreshFamily]
) -> None:
    with realm_scope(realm_a):
        user = lock_user(as_owner_a, user_id=user_a.pk, minutes=30, reason="odd sign-ins")
        assert not user.is_active
        live_access[0].refresh_from_db()
        assert live_access[0].status == "ended"
        with clock.clock_at(clock.now() + timedelta(minutes=31)):
            assert user.is_active
        assert unlock_user(as_owner_a, user_id=user_a.pk).is_active
        with pytest.raises(Conflict):
            unlock_user(as_owner_a, user_id=user_a.pk)
        assert not lock_user(as_owner_a, user_id=user_a.pk).is_active
    assert said(realm_a, "user.locked").payload["sessions_ended"] == 0


def test_ac_08_the_last_owner_is_neither_disabled_nor_locked_nor_deleted(
    realm_a: Realm, owner_a: User, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a):
        system = system_actor(realm_a.pk)
        for act in (disable_user, lock_user, delete_user):
            with pytest.raises(Conflict) as refused:
                act(system, user_id=owner_a.pk)
            assert refused.value.reason == "last_owner"
            with pytest.raises(Conflict):
                act(as_owner_a, user_id=owner_a.pk)
    make_user(realm_a, "second@example.com", role="Owner")
    with realm_scope(realm_a):
        assert disable_user(system, user_id=owner_a.pk).status == UserStatus.DISABLED


def test_a_deleted_person_is_gone_and_the_trail_stays(
    realm_a: Realm, user_a: User, as_owner_a: Actor, live_access: tuple[Session, RefreshFamily]
) -> None:
    with realm_scope(realm_a):
        delete_user(as_owner_a, user_id=user_a.pk)
        assert not User.objects.filter(pk=user_a.pk).exists()
        assert not Session.objects.filter(pk=live_access[0].pk).exists()
        assert not RefreshFamily.objects.filter(pk=live_access[1].pk).exists()
        assert not EmailAddress.objects.filter(user_id=user_a.pk).exists()
        create_user(as_owner_a, email="dana@example.com")
    event = said(realm_a, "user.deleted")
    assert (event.target_id, event.payload["sessions_ended"]) == (user_a.pk, 1)
    assert readable([event])[0].personal["target_name"] == "Dana Okafor"


@pytest.mark.parametrize("act", [disable_user, enable_user, lock_user, unlock_user, delete_user])
def test_who_lacks_the_permission_takes_nothing_away(
    realm_a: Realm, owner_a: User, as_user_a: Actor, act: object
) -> None:
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        act(as_user_a, user_id=owner_a.pk)  # type: ignore[operator]


# --- the help desk


@pytest.fixture
def desk(realm_a: Realm, as_owner_a: Actor, user_a: User) -> Actor:
    """Somebody who may disable and write people of one organization; Dana belongs to it."""
    helper = make_user(realm_a, "helper@example.com", name="Hal")
    with realm_scope(realm_a):
        org = create_organization(as_owner_a, slug="north", name="North")
        add_member(as_owner_a, organization_id=org.pk, user_id=user_a.pk)
        for permission in (Permission.USERS_READ, Permission.USERS_WRITE, Permission.USERS_DISABLE):
            grant_object(as_owner_a, user_id=helper.pk, permission=permission, kind="organization", object_id=org.pk)
    return actor_of(helper)


def test_a_help_desk_of_one_organization_acts_on_its_people_alone(
    realm_a: Realm, desk: Actor, user_a: User, owner_a: User
) -> None:
    with realm_scope(realm_a):
        assert disable_user(desk, user_id=user_a.pk).status == UserStatus.DISABLED
        for act in (disable_user, lock_user, delete_user, change_profile):
            with pytest.raises(NotFound):
                act(desk, user_id=owner_a.pk)


def test_ac_02_a_help_desk_takes_over_nobody_who_manages_what_it_does_not(
    realm_a: Realm, desk: Actor, as_owner_a: Actor, user_a: User
) -> None:
    app, _ = make_application(realm_a)
    secrets = {"permission": Permission.APPLICATIONS_SECRETS, "kind": "application", "object_id": app.pk}
    with realm_scope(realm_a):
        grant_object(as_owner_a, user_id=user_a.pk, **secrets)
        for act, fields in (
            (set_password, {"password": "another good phrase"}),
            (change_email, {"email": "helper2@example.com", "verified": True}),
            (disable_user, {}),
            (delete_user, {}),
        ):
            with pytest.raises(PermissionDenied) as refused:
                act(desk, user_id=user_a.pk, **fields)
            assert refused.value.permission == Permission.APPLICATIONS_SECRETS
        lock_user(desk, user_id=user_a.pk, minutes=60)
        unlock_user(desk, user_id=user_a.pk)
        # Who holds the same on the same object is no higher.
        grant_object(as_owner_a, user_id=desk.id, **secrets)
        set_password(actor_of(User.objects.get(pk=desk.id)), user_id=user_a.pk, password="another good phrase")


def test_ac_02_a_help_desk_sets_nobodys_password_who_outranks_it(realm_a: Realm, owner_a: User) -> None:
    helper = make_user(realm_a, "helper@example.com", role="Help desk")
    desk = actor_of(helper)
    kim = make_user(realm_a, "kim@example.com")
    with realm_scope(realm_a):
        set_password(desk, user_id=kim.pk, password="another good phrase")
        for act, fields in (
            (set_password, {"password": "another good phrase"}),
            (change_email, {"email": "helper2@example.com", "verified": True}),
            (change_identifiers, {"username": "hal"}),
            (change_profile, {"name": "x"}),
        ):
            with pytest.raises(PermissionDenied):
                act(desk, user_id=owner_a.pk, **fields)
        owner_a.refresh_from_db()
    assert owner_a.check_password(PASSWORD)


# --- passwords


def test_se_05_a_new_password_ends_everything_else(
    realm_a: Realm, user_a: User, as_owner_a: Actor, live_access: tuple[Session, RefreshFamily]
) -> None:
    with realm_scope(realm_a):
        user = set_password(as_owner_a, user_id=user_a.pk, password="another good phrase")
        for row in live_access:
            row.refresh_from_db()
    assert user.check_password("another good phrase")
    assert [row.status for row in live_access] == ["ended", "revoked"]
    assert said(realm_a, "password.changed").payload == {"how": "by_admin", "sessions_ended": 1}
    with realm_scope(realm_a):
        assert Message.objects.get(template="password_changed").user_id == user_a.pk


def test_changing_the_own_password_keeps_the_present_session(
    realm_a: Realm, user_a: User, live_access: tuple[Session, RefreshFamily]
) -> None:
    session, family = live_access
    other = signed_in(realm_a, user_a)
    with realm_scope(realm_a):
        actor = actor_for_user(user_a, session=session)
        set_password(actor, user_id=user_a.pk, password="another good phrase")
        for row in (session, other, family):
            row.refresh_from_db()
    assert (session.status, other.status, family.status) == ("active", "ended", "active")
    assert said(realm_a, "password.changed").payload == {"how": "changed", "sessions_ended": 1}


def test_a_weak_password_changes_nothing(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with realm_scope(realm_a), pytest.raises(Invalid) as refused:
        set_password(as_owner_a, user_id=user_a.pk, password="okaforokafor")
    assert refused.value.field == "password"
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).check_password(PASSWORD)


def test_lg_04_an_admins_link_goes_to_the_verified_address_alone(
    realm_a: Realm, user_a: User, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a):
        send_password_reset_link(as_owner_a, user_id=user_a.pk)
        assert said(realm_a, "password.reset_requested").target_id == user_a.pk
        unverified = create_user(as_owner_a, email="kim@example.com")
        with pytest.raises(Conflict) as refused:
            send_password_reset_link(as_owner_a, user_id=unverified.pk)
        assert refused.value.reason == "no_verified_email"
        disable_user(as_owner_a, user_id=user_a.pk)
        with pytest.raises(Conflict):
            send_password_reset_link(as_owner_a, user_id=user_a.pk)


def test_nothing_of_a_password_or_link_is_in_the_trail(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        set_password(as_owner_a, user_id=user_a.pk, password="another good phrase")
        send_password_reset_link(as_owner_a, user_id=user_a.pk)
        rows = readable(AuditEvent.objects.filter(realm_id=realm_a.pk))
    text = "".join(f"{row.row.payload}{row.personal}" for row in rows)
    assert "another good phrase" not in text
    assert "argon2" not in text
    assert "/password/reset" not in text


def test_roles_are_not_lost_on_a_lock(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        auditor = Role.objects.get(name="Auditor")
        assign_role(as_owner_a, user_id=user_a.pk, role_id=auditor.pk)
        lock_user(as_owner_a, user_id=user_a.pk, minutes=5)
        assert user_a.role_assignments.count() == 1
