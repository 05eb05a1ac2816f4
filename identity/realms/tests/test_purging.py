"""A deleted realm is emptied for good, and only it; what has expired goes from each realm."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django_tasks_db.models import DBTaskResult

from e2e.isolation.conftest import build, snapshot
from identity.accounts.commands import make_code
from identity.accounts.models import Attribute, CodePurpose, Invitation, OneTimeCode, PasswordRecord, User
from identity.applications.models import Application
from identity.audit.commands import order_export
from identity.audit.leases import LostLease, in_each_realm
from identity.audit.models import AuditEvent, AuditExport, AuditExportChunk, Outbox, SubjectKey
from identity.audit.queries import EventFilter
from identity.audit.reading import readable
from identity.courier.models import Message
from identity.gate import queue
from identity.gate.actors import actor_for_user
from identity.kernel import clock, ratelimit
from identity.kernel.actor import system_actor
from identity.kernel.checks import GLOBAL_TABLES
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.ids import uuid7
from identity.kernel.models import IdempotencyKey, RateCounter
from identity.metrics.counting import add
from identity.mfa.models import MessageDevice
from identity.oauth.models import Grant, RefreshFamily, RefreshToken, TokenDenial
from identity.realms import commands, purging
from identity.realms.commands import tenants
from identity.realms.models import Realm, RealmStatus
from identity.security.models import SignInReview
from identity.sessions.models import Device, Session
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db(transaction=True)
STAYS = {"identity_realm", "identity_auditevent"}


@pytest.fixture
def worlds():
    """Two realms with one of everything, and rows of tables that pages alone would not fill."""
    made = build("a", "alphamark"), build("b", "betamark")
    for world in made:
        with realm_scope(world.realm), transaction.atomic():
            fill(world)
    return made


def fill(world) -> None:
    now = clock.now()
    session, portal = Session.objects.get(user=world.person), Application.objects.get()
    family = RefreshFamily.objects.create(
        user=world.person, application=portal, session=session, created_at=now, expires_at=now + timedelta(days=1)
    )
    RefreshToken.objects.create(
        user=world.person, application=portal, family=family, token=uuid7().hex, token_hash=uuid7().bytes
    )
    Grant.objects.create(
        user=world.person, application=portal, code=uuid7().hex, session=session,
        expires=now, redirect_uri="https://app.example/cb", scope="openid",
    )  # fmt: skip
    TokenDenial.objects.create(jti=uuid7(), created_at=now, expires_at=now + timedelta(minutes=5))
    add(world.realm.pk, "signins", now, [world.realm.pk])
    export = order_export(
        actor_for_user(world.owner, session=session), wanted=EventFilter(), file_format="csv", language="en"
    )
    AuditExportChunk.objects.create(export=export, number=0, sealed=b"x")
    IdempotencyKey.objects.create(
        key_hash=uuid7().bytes, fingerprint=b"x", created_at=now, expires_at=now + timedelta(days=1)
    )
    Outbox.objects.create(event_id=uuid7(), realm_id=world.realm.pk, consumer="metrics")
    make_code(system_actor(world.realm.pk), purpose=CodePurpose.SIGN_IN, address="dana@example.com")
    person = {"user": world.person}
    PasswordRecord.objects.create(**person, encoded="x", replaced_at=now)
    Attribute.objects.get_or_create(name="badge", defaults={"label": "Badge", "created_at": now})
    MessageDevice.objects.create(**person, kind="sms", to_sealed=b"x", to_hash=b"x", hint="67")
    device = Device.objects.create(**person, key_hash=b"x", first_seen_at=now, last_seen_at=now)
    SignInReview.objects.create(**person, device=device, token_hash=b"x", signed_in_at=now, expires_at=now)


def realm_tables() -> dict[str, str]:
    """Every table with a realm column, by what the database itself says."""
    with connection.cursor() as cursor:
        found = {}
        for name in connection.introspection.table_names(cursor):
            if name.startswith("identity_auditevent"):
                continue
            columns = [c.name for c in connection.introspection.get_table_description(cursor, name)]
            if "realm_id" in columns:
                found[name] = "realm_id"
    return found


def rows_of(realm: Realm) -> dict[str, int]:
    """Table → how many rows it holds of a realm."""
    realm_id = realm.pk if connection.vendor == "postgresql" else realm.pk.hex
    out = {}
    with connection.cursor() as cursor:
        for table in realm_tables():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE realm_id = %s", [realm_id])
            out[table] = cursor.fetchone()[0]
    return out


def deleted(realm: Realm) -> None:
    Realm.objects.filter(pk=realm.pk).update(
        status=RealmStatus.DELETING, purge_after=clock.now() - timedelta(seconds=1), host="login.acme.example"
    )


def work() -> int:
    count = 0
    while queue.work_next("w1"):
        count += 1
    return count


def test_a_realm_is_emptied_thirty_days_after_its_deletion_and_nothing_else(worlds, platform, as_operator):
    a, b = worlds
    DBTaskResult.objects.all().delete()
    before = rows_of(a.realm)
    assert len(before) > 25
    # Tables that are never written (DECISIONS 18, 20) or that this world has no use for are empty from the start.
    assert {table for table, count in before.items() if count == 0} <= {
        "identity_accesstoken", "identity_idtoken", "identity_devicegrant", "identity_operatorvisit",
        "identity_objectgrant", "identity_sessionapplication",
    }  # fmt: skip
    trail = [row.pk for row in AuditEvent.objects.filter(realm_id=a.realm.pk).order_by("id")]
    kept, kept_rows = snapshot(b.realm), rows_of(b.realm)
    with realm_scope(platform):
        commands.delete_realm(as_operator, realm_id=a.realm.pk, typed_slug="a")
    assert commands.order_due_purges() == 0
    later = clock.now() + timedelta(days=30, seconds=1)
    with clock_at(later):
        assert commands.order_due_purges() == 1
        assert commands.order_due_purges() == 0
        assert work() >= 1
        assert commands.order_due_purges() == 0
    assert rows_of(a.realm) == dict.fromkeys(before, 0)
    assert snapshot(b.realm) == kept
    assert rows_of(b.realm) == kept_rows
    realm = Realm.objects.get(pk=a.realm.pk)
    assert (realm.slug, realm.name, realm.host, realm.settings) == ("a", "a", None, {})
    assert realm.purged_at is not None
    now_there = [row.pk for row in AuditEvent.objects.filter(realm_id=a.realm.pk).order_by("id")]
    assert now_there[: len(trail)] == trail
    (told,) = AuditEvent.objects.filter(realm_id=a.realm.pk, type="realm.purged")
    assert told.payload["slug"] == "a"


def library_rows() -> dict[str, int]:
    """Rows of library tables that hang on people."""
    out = {}
    with connection.cursor() as cursor:
        for table in ("account_emailaddress", "identity_user_groups", "identity_user_user_permissions"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            out[table] = cursor.fetchone()[0]
    return out


def purge(realm: Realm, **more) -> bool:
    with realm_scope(realm):
        return commands.purge_realm(system_actor(realm.pk), keep=lambda: None, **more)


def test_rows_of_libraries_go_with_the_people_they_hang_on(worlds):
    from allauth.account.models import EmailAddress

    a, _b = worlds
    for world in worlds:
        EmailAddress.objects.create(user=world.person, email="second@example.com")
    before = library_rows()["account_emailaddress"]
    of_a = EmailAddress.objects.filter(user__realm_id=a.realm.pk).count()
    assert of_a
    deleted(a.realm)
    assert purge(a.realm)
    assert library_rows()["account_emailaddress"] == before - of_a


def test_dp_04_nobody_reads_a_person_in_the_trail_of_a_purged_realm(worlds):
    a, b = worlds
    rows = list(AuditEvent.objects.filter(realm_id=a.realm.pk))
    opened = [value for event in readable(rows) for value in event.personal.values()]
    assert any("dana@example.com" in value for value in opened)
    deleted(a.realm)
    assert purge(a.realm)
    left = " ".join(value for event in readable(rows) for value in event.personal.values())
    for person in ("dana@example.com", "Dana", "owner@example.com", "Olivia", "203.0.113.77", "guesser"):
        assert person not in left
    assert not SubjectKey.objects.filter(realm_id=a.realm.pk).exists()
    of_b = readable(AuditEvent.objects.filter(realm_id=b.realm.pk))
    assert any("dana@example.com" in value for event in of_b for value in event.personal.values())


def test_a_purge_that_was_interrupted_goes_on_where_it_ended(worlds):
    a, _ = worlds
    deleted(a.realm)
    before = sum(rows_of(a.realm).values())
    calls = []

    def keep() -> None:
        calls.append(1)
        if len(calls) == 12:
            raise LostLease("killed here")

    with realm_scope(a.realm), pytest.raises(LostLease):
        commands.purge_realm(system_actor(a.realm.pk), keep=keep)
    assert 0 < sum(rows_of(a.realm).values()) < before
    assert Realm.objects.get(pk=a.realm.pk).purged_at is None
    assert not purge(a.realm, seconds=0)
    assert purge(a.realm)
    assert sum(rows_of(a.realm).values()) == 0


def test_a_purge_in_small_batches_takes_several_runs(worlds, monkeypatch):
    a, b = worlds
    monkeypatch.setattr(tenants.rules, "PURGE_BATCH", 2)
    kept = rows_of(b.realm)
    deleted(a.realm)
    DBTaskResult.objects.all().delete()
    commands.order_due_purges()
    assert work() == 1
    assert sum(rows_of(a.realm).values()) == 0
    assert rows_of(b.realm) == kept


def test_a_run_that_is_out_of_time_asks_for_the_next_one(worlds, monkeypatch):
    a, _ = worlds
    deleted(a.realm)
    DBTaskResult.objects.all().delete()
    commands.order_due_purges()
    whole = commands.purge_realm
    tries = []

    def short(actor, *, keep):
        tries.append(1)
        return whole(actor, keep=keep, seconds=0 if len(tries) < 3 else 60)

    monkeypatch.setattr(commands, "purge_realm", short)
    assert work() == 3
    assert sum(rows_of(a.realm).values()) == 0


def test_only_what_is_due_is_purged(worlds):
    a, _b = worlds
    for changes in ({"status": "active"}, {"status": "suspended"}, {"purge_after": clock.now() + timedelta(days=1)}):
        deleted(a.realm)
        Realm.objects.filter(pk=a.realm.pk).update(**changes)
        with pytest.raises(Conflict):
            purge(a.realm)
    with realm_scope(a.realm), pytest.raises(PermissionDenied):
        commands.purge_realm(actor_for_user(a.owner), keep=lambda: None)
    assert User.all_realms.filter(realm_id=a.realm.pk).exists()


def test_a_purge_happens_once(worlds):
    a, _ = worlds
    deleted(a.realm)
    assert purge(a.realm)
    with pytest.raises(NotFound):
        purge(a.realm)
    assert AuditEvent.objects.filter(realm_id=a.realm.pk, type="realm.purged").count() == 1


def test_half_a_realm_can_not_come_back(worlds, platform, as_operator):
    a, _ = worlds
    deleted(a.realm)
    with realm_scope(platform), pytest.raises(Conflict):
        commands.resume_realm(as_operator, realm_id=a.realm.pk)


def test_ti_22_the_slug_of_a_purged_realm_is_never_used_again(worlds, platform, as_operator, client_for):
    a, _ = worlds
    deleted(a.realm)
    assert purge(a.realm)
    with realm_scope(platform), pytest.raises(Invalid):
        commands.create_realm(as_operator, slug="a", name="Again")
    assert client_for(a.realm).get("/signin").status_code == 404


def test_a_late_row_does_not_outlive_the_purge(worlds, monkeypatch):
    a, _ = worlds
    deleted(a.realm)
    emptied = purging.rows_of_realm

    def late(realm):
        yield from emptied(realm)
        if not calls:
            calls.append(1)
            add(realm.pk, "signins", clock.now(), [realm.pk])

    calls: list[int] = []
    monkeypatch.setattr(tenants, "rows_of_realm", late)
    assert purge(a.realm)
    assert sum(rows_of(a.realm).values()) == 0


def test_periodic_work_leaves_a_realm_alone_that_is_due(worlds):
    a, _b = worlds
    deleted(a.realm)
    seen = []

    class Anybody:
        def check(self) -> None:
            pass

    in_each_realm(lambda realm: seen.append(realm.slug))(Anybody())
    assert "a" not in seen
    assert "b" in seen
    assert "a" not in {realm.slug for realm in purging.in_turns()}


def test_every_realm_table_is_emptied_before_what_it_points_at():
    order = purging.emptying_order()
    assert {model._meta.db_table for model in order} == set(realm_tables()) - {"identity_outbox", "identity_subjectkey"}
    assert not {model._meta.db_table for model in order} & GLOBAL_TABLES
    at = {model: number for number, model in enumerate(order)}
    circular = {"AccessToken", "RefreshToken", "IDToken", "Grant"}
    for model in order:
        for field in model._meta.concrete_fields:
            target = field.related_model
            if target in at and target is not model and model.__name__ not in circular:
                assert at[model] < at[target], (model, target)


# --- what has expired ------------------------------------------------------------------------------------------------


def counts() -> dict[str, int]:
    tables = (Session, Grant, RefreshToken, RefreshFamily, TokenDenial, RateCounter, IdempotencyKey, Message,
              Invitation, OneTimeCode, AuditExport, AuditExportChunk)  # fmt: skip
    return {table.__name__: table.objects.count() for table in tables}


def test_ds_08_what_has_expired_goes_and_is_told(worlds):
    a, _b = worlds
    with realm_scope(a.realm):
        before = counts()
        RefreshFamily.objects.update(status="revoked", status_changed_at=clock.now())
        ratelimit.hit(ratelimit.Limit("test", 3, timedelta(minutes=1)), "dana")
    assert commands.purge_expired() == len(worlds)  # the former passwords, of which this policy keeps none
    assert commands.purge_expired() == 0
    with clock_at(clock.now() + timedelta(days=300)):
        assert commands.purge_expired() > 0
        assert commands.purge_expired() == 0
    with realm_scope(a.realm):
        after = counts()
        # The one invitation that was never answered: the account may be invited again.
        assert {name for name, count in after.items() if count} == {"Invitation"}
        assert all(before[name] for name in after if name != "RateCounter")
        assert User.objects.count() == 3
    told = AuditEvent.objects.filter(realm_id=a.realm.pk, type="data.purged").latest("id")
    assert told.payload["counts"]["codes"] == 1
    assert told.payload["count"] == sum(told.payload["counts"].values())
    assert told.payload["counts"]["sessions"] == before["Session"]


def test_what_is_still_needed_stays(worlds):
    a, _ = worlds
    with realm_scope(a.realm):
        before = counts()
        family = RefreshFamily.objects.get()
        RefreshFamily.objects.update(expires_at=clock.now() + timedelta(days=300))
    with clock_at(clock.now() + timedelta(days=60)):
        commands.purge_expired()
    with realm_scope(a.realm):
        after = counts()
        # A rotated generation of a living family stays, however old: reuse is told by it (DECISIONS 19).
        assert RefreshToken.objects.filter(family=family).exists()
        # An ended session is still shown, a used code is not.
        assert after["Session"] == before["Session"]
        assert after["Grant"] == 0


def test_no_check_depends_on_the_purge(worlds):
    """A prepared export, a session and a code are refused by the time alone: nothing was purged here."""
    a, _ = worlds
    client = RealmClient(a.realm).sign_in(a.owner)
    assert client.get("/console/audit").status_code == 200
    with clock_at(clock.now() + timedelta(days=30)):
        assert client.get("/console/audit").status_code == 302


def test_a_purge_of_what_expired_has_a_bounded_time(worlds):
    with clock_at(clock.now() + timedelta(days=300)):
        assert commands.purge_expired(seconds=0) == 0
        assert commands.purge_expired() > 0
