"""Writes of realms. Creating and ending realms is for operators; changing one's own settings for its admins."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.audit.leases import Held
from identity.audit.record import record
from identity.kernel import clock, jobs
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.events import Event, changes_of
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms import events, rules
from identity.realms.models import Realm, RealmStatus, default_setting
from identity.realms.purging import delete_batch, empty_expired, in_turns, rows_of_realm


def _inside(actor: Actor, realm: Realm) -> Actor:
    """The operator as he appears in the touched realm's own trail: his realm stays `platform` (AC-16)."""
    if actor.realm_id == realm.pk:
        return actor
    if actor.kind is ActorKind.SYSTEM:
        return system_actor(realm.pk, request_id=actor.request_id)
    return Actor(
        kind=ActorKind.OPERATOR,
        realm_id=realm.pk,
        id=actor.id,
        home_realm_id=actor.realm_id,
        session_id=actor.session_id,
        origin=actor.origin,
        request_id=actor.request_id,
        name=actor.name,
        email=actor.email,
    )


def _record_in(actor: Actor, realm: Realm, event: Event) -> None:
    with realm_scope(realm):
        record(_inside(actor, realm), event)


def _locked(realm_id: UUID) -> Realm:
    realm = for_write(Realm.objects.filter(pk=realm_id, purged_at=None)).first()
    if realm is None:
        raise NotFound
    return realm


@transaction.atomic
def create_realm(
    actor: Actor,
    *,
    slug: str,
    name: str,
    settings: Mapping[str, Any] | None = None,
    branding: Mapping[str, Any] | None = None,
) -> Realm:
    """A new, empty, active realm. Rooms above add its roles, scopes and keys.

    Raises PermissionDenied, Invalid (slug, name or a setting; a slug is never used twice). Says realm.created.
    """
    actor.require(Permission.REALMS_WRITE)
    slug = rules.checked_slug(slug)
    if Realm.objects.filter(slug=slug).exists():
        raise Invalid(_("This slug is taken, or a deleted realm had it."), field="slug", code="slug_taken")
    realm = Realm(
        slug=slug,
        name=rules.checked_name(name),
        settings=rules.checked_settings(settings or {}, {}),
        branding=rules.checked_branding(branding or {}),
        created_at=clock.now(),
    )
    realm.save(force_insert=True)
    _record_in(actor, realm, events.RealmCreated(target_id=realm.pk, slug=realm.slug, name=realm.name))
    return realm


@transaction.atomic
def change_realm_settings(actor: Actor, *, changes: Mapping[str, Any], expected_version: int | None = None) -> Realm:
    """Change settings of the actor's own realm; an unchanged value is no change and says nothing.

    Raises PermissionDenied, Invalid (the setting), Conflict (somebody saved meanwhile). Says realm.settings_changed.
    """
    actor.require(Permission.SETTINGS_WRITE)
    realm = _locked(actor.realm_id)
    if expected_version is not None and realm.version != expected_version:
        raise Conflict
    checked = rules.checked_settings(changes, realm.policy())
    before = {name: realm.setting(name) for name in checked}
    differing = changes_of(before, checked)
    if not differing:
        return realm
    realm.settings = {
        name: value for name, value in {**realm.settings, **checked}.items() if value != default_setting(name)
    }
    realm.version += 1
    realm.save(update_fields=["settings", "version"])
    record(actor, events.RealmSettingsChanged(target_id=realm.pk, changes=differing))
    return realm


@transaction.atomic
def change_realm_branding(actor: Actor, *, name: str | None = None, branding: Mapping[str, Any] | None = None) -> Realm:
    """Change the realm's name, color and logo. Raises PermissionDenied, Invalid. Says realm.branding_changed."""
    actor.require(Permission.SETTINGS_WRITE)
    realm = _locked(actor.realm_id)
    before = {"name": realm.name, **realm.branding}
    if name is not None:
        realm.name = rules.checked_name(name)
    if branding is not None:
        realm.branding = {**realm.branding, **rules.checked_branding(branding)}
    differing = changes_of(before, {"name": realm.name, **realm.branding})
    if not differing:
        return realm
    realm.version += 1
    realm.save(update_fields=["name", "branding", "version"])
    record(actor, events.RealmBrandingChanged(target_id=realm.pk, changes=differing))
    return realm


def _move(actor: Actor, realm: Realm, status: RealmStatus) -> None:
    realm.status = status
    realm.status_changed_at = clock.now()
    realm.status_by = actor.id
    realm.version += 1
    realm.save(update_fields=["status", "status_changed_at", "status_by", "held_until", "purge_after", "version"])


def _refuse_platform(realm: Realm) -> None:
    if realm.is_platform:
        raise Conflict(_("The platform’s own realm can’t be suspended or deleted."), code="platform_realm")


@transaction.atomic
def suspend_realm(actor: Actor, *, realm_id: UUID, reason: str = "") -> Realm:
    """Everybody in the realm loses access at the next request. Raises PermissionDenied, NotFound, Conflict.

    Says realm.suspended, in the realm's own trail.
    """
    actor.require(Permission.REALMS_WRITE)
    realm = _locked(realm_id)
    _refuse_platform(realm)
    if realm.status != RealmStatus.ACTIVE:
        raise Conflict
    _move(actor, realm, RealmStatus.SUSPENDED)
    _record_in(actor, realm, events.RealmSuspended(target_id=realm.pk, reason=reason[:300]))
    return realm


@transaction.atomic
def resume_realm(actor: Actor, *, realm_id: UUID) -> Realm:
    """Bring back a suspended realm, or one whose deletion is still held. Raises PermissionDenied, NotFound, Conflict.

    Says realm.resumed.
    """
    actor.require(Permission.REALMS_WRITE)
    realm = _locked(realm_id)
    if realm.status == RealmStatus.ACTIVE:
        raise Conflict
    if realm.status == RealmStatus.DELETING:
        actor.require(Permission.REALMS_DELETE)
        if realm.purge_after is not None and realm.purge_after <= clock.now():
            # Its purge may have begun: half of a realm must not come back.
            raise Conflict(_("The time to bring this realm back is over."), code="purge_begun")
    realm.purge_after = realm.held_until = None
    _move(actor, realm, RealmStatus.ACTIVE)
    _record_in(actor, realm, events.RealmResumed(target_id=realm.pk))
    return realm


@transaction.atomic
def delete_realm(actor: Actor, *, realm_id: UUID, typed_slug: str) -> Realm:
    """Suspend at once and schedule the purge; undone by resuming within 30 days (DECISIONS 29).

    Raises PermissionDenied, NotFound, Invalid (typed_slug differs), Conflict. Says realm.deletion_scheduled.
    """
    actor.require(Permission.REALMS_DELETE)
    realm = _locked(realm_id)
    _refuse_platform(realm)
    if typed_slug != realm.slug:
        raise Invalid(_("Type the realm’s slug to confirm."), field="typed_slug")
    if realm.status == RealmStatus.DELETING:
        raise Conflict
    realm.purge_after = realm.held_until = clock.now() + rules.HELD
    _move(actor, realm, RealmStatus.DELETING)
    _record_in(
        actor,
        realm,
        events.RealmDeletionScheduled(target_id=realm.pk, purge_after=realm.purge_after.date().isoformat()),
    )
    return realm


def order_due_purges(held: Held | None = None) -> int:  # house: HR03 realm.purged is said when it is done
    """Have each realm emptied whose 30 days are over. Periodic, by one leader; each purge says realm.purged itself.

    Returns how many were ordered.
    """
    due = Realm.objects.filter(status=RealmStatus.DELETING, purged_at=None, purge_after__lte=clock.now())
    count = 0
    for realm in due:
        with realm_scope(realm), transaction.atomic():
            if held is not None:
                held.check()
            if not jobs.is_waiting("realms.purge", realm.pk):
                jobs.enqueue(system_actor(realm.pk), "realms.purge")
                count += 1
    return count


def purge_realm(actor: Actor, *, keep: Callable[[], None], seconds: float = rules.PURGE_SECONDS) -> bool:
    """Empty the actor's realm for good, in batches, for at most `seconds`. Returns False when there is more to do.

    Each batch is a transaction of its own, and a later call goes on from wherever an earlier one ended. The realm's row
    stays, since its slug is never used again, and so does its audit trail, with the keys of its people destroyed.
    Raises PermissionDenied, NotFound (purged already), Conflict (it is not due). Says realm.purged.
    """
    actor.require(Permission.REALMS_DELETE)
    until = time.monotonic() + seconds
    realm = Realm.objects.filter(pk=actor.realm_id).first()
    if realm is None:
        raise NotFound
    with realm_scope(realm):
        for rows in rows_of_realm(realm):
            done = rules.PURGE_BATCH
            while done == rules.PURGE_BATCH:
                if time.monotonic() >= until:
                    return False
                with transaction.atomic():
                    keep()
                    _due_for_purge(actor)
                    done = delete_batch(rows, rules.PURGE_BATCH)
        with transaction.atomic():
            keep()
            return _close_purged(actor, _due_for_purge(actor))


def _due_for_purge(actor: Actor) -> Realm:
    realm = _locked(actor.realm_id)
    if realm.status != RealmStatus.DELETING or realm.purge_after is None or realm.purge_after > clock.now():
        raise Conflict
    return realm


def _close_purged(actor: Actor, realm: Realm) -> bool:
    """The last transaction. Whatever came after its table was emptied, a counter or a late row, goes now as well."""
    if any(delete_batch(rows, rules.PURGE_BATCH) == rules.PURGE_BATCH for rows in rows_of_realm(realm)):
        return False
    slug, realm.purged_at = realm.slug, clock.now()
    realm.name, realm.host, realm.settings, realm.branding = slug, None, {}, {}
    realm.version += 1
    realm.save(update_fields=["name", "host", "settings", "branding", "version", "purged_at"])
    record(actor, events.RealmPurged(target_id=realm.pk, slug=slug))
    return True


def purge_expired(held: Held | None = None, *, seconds: float = rules.PURGE_SECONDS) -> int:
    """Delete what has expired, realm by realm, for at most `seconds`; the next run goes on. Periodic, by one leader.

    No check depends on it: each reads the time (DECISIONS 4). Says data.purged in each realm where something went.
    Returns how many rows went.
    """
    until = time.monotonic() + seconds
    total = 0
    for realm in in_turns():
        counts = empty_expired(realm, until=until, held=held)
        if counts:
            with realm_scope(realm), transaction.atomic():
                told = events.DataPurged(target_id=realm.pk, count=sum(counts.values()), counts=counts)
                record(system_actor(realm.pk), told)
            total += sum(counts.values())
        if time.monotonic() >= until:
            break
    return total
