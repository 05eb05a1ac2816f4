"""Providers of short messages: added, changed, ordered, tried out and deleted by admins and realm files."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from identity.audit.record import record
from identity.courier import events
from identity.courier.commands.spending import refused_by_budget
from identity.courier.models import Channel, SmsProvider, SmsProviderKind
from identity.courier.providers import CARRIERS, NotTaken, Parcel, Undeliverable
from identity.courier.queries import SECRETS_FIELD, SECRETS_TABLE, TestResult, account_of, get_sms_provider, secrets_of
from identity.courier.rendering import render
from identity.courier.rules import checked_address
from identity.courier.rules import providers as rules
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import seal
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.events import changes_of
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.kernel.ratelimit import Limit, require
from identity.kernel.tenancy import realm_id_of
from identity.kernel.transactions import for_write
from identity.realms.models import Realm

TESTS = Limit("sms.test", 10, timedelta(hours=1))


@transaction.atomic
def create_sms_provider(
    actor: Actor,
    *,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    enabled: bool = True,
) -> SmsProvider:
    """Another provider, tried after the others. Raises PermissionDenied, Invalid. Says sms_provider.created."""
    actor.require(Permission.SETTINGS_WRITE)
    kind = rules.checked_kind(kind)
    name = rules.checked_name(name)
    _refuse_taken(name)
    rows = for_write(SmsProvider.objects.all())
    if rows.count() >= rules.MAX_PROVIDERS:
        raise Invalid(_("There can be at most %(most)s.") % {"most": rules.MAX_PROVIDERS}, field="name")
    checked = rules.checked_secrets(kind, secrets)
    known = rules.checked_provider_settings(kind, settings)
    _refuse_without_secret(known, checked)
    last = SmsProvider.objects.aggregate(last=Max("position"))["last"]
    provider = SmsProvider(
        id=uuid7(),
        realm_id=actor.realm_id,
        name=name,
        kind=kind,
        settings=known,
        enabled=enabled,
        position=0 if last is None else last + 1,
        created_at=clock.now(),
    )
    provider.secrets_sealed = _sealed(provider, checked)
    provider.save(force_insert=True)
    record(actor, events.SmsProviderCreated(target_id=provider.pk, target_name=name, kind=kind))
    return provider


@transaction.atomic
def change_sms_provider(
    actor: Actor,
    *,
    provider_id: UUID,
    expected_version: int | None = None,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    enabled: bool | None = None,
) -> SmsProvider:
    """Change what is given; `settings` is all of them, of `secrets` an empty one stays as it is.

    A secret that would go somewhere else has to be given again. Raises PermissionDenied, NotFound, Invalid, Conflict
    (somebody saved meanwhile). Says sms_provider.changed, with the names of what changed.
    """
    provider = _locked(actor, provider_id, expected_version)
    changed: list[str] = []
    if name is not None and (name := rules.checked_name(name)) != provider.name:
        _refuse_taken(name, own_id=provider.pk)
        provider.name = name
        changed.append("name")
    new = {key: value for key, value in (secrets or {}).items() if value}
    if settings is not None:
        checked = rules.checked_provider_settings(provider.kind, settings)
        _refuse_redirected(provider, checked, new)
        _refuse_without_secret(checked, {**secrets_of(provider), **new})
        changed += sorted(changes_of(provider.settings, checked))
        provider.settings = checked
    if new:
        held = secrets_of(provider)
        merged = rules.checked_secrets(provider.kind, {**held, **new})
        differing = sorted(key for key in merged if merged[key] != held.get(key))
        if differing:
            provider.secrets_sealed = _sealed(provider, merged)
            changed += differing
    if enabled is not None and enabled != provider.enabled:
        provider.enabled = enabled
        changed.append("enabled")
    if not changed:
        return provider
    provider.version += 1
    provider.save(update_fields=["name", "settings", "secrets_sealed", "enabled", "version"])
    record(
        actor,
        events.SmsProviderChanged(
            target_id=provider.pk,
            target_name=provider.name,
            fields=tuple(changed),
            changes={"enabled": (not provider.enabled, provider.enabled)} if "enabled" in changed else {},
        ),
    )
    return provider


@transaction.atomic
def delete_sms_provider(actor: Actor, *, provider_id: UUID, expected_version: int | None = None) -> None:
    """Delete it with its secrets. Raises PermissionDenied, NotFound, Conflict. Says sms_provider.deleted."""
    provider = _locked(actor, provider_id, expected_version)
    pk, name, kind = provider.pk, provider.name, provider.kind
    provider.delete()
    left = SmsProvider.objects.filter(enabled=True).count()
    record(actor, events.SmsProviderDeleted(target_id=pk, target_name=name, kind=kind, left=left))


@transaction.atomic
def reorder_sms_providers(actor: Actor, *, provider_ids: Sequence[UUID]) -> None:
    """Try them in this order. Raises PermissionDenied, Conflict (not the ones that there are).

    Says sms_provider.reordered.
    """
    actor.require(Permission.SETTINGS_WRITE)
    rows = {row.pk: row for row in for_write(SmsProvider.objects.order_by("position", "id"))}
    if set(rows) != set(provider_ids) or len(rows) != len(provider_ids):
        raise Conflict
    if list(rows) == list(provider_ids):
        return
    for position, pk in enumerate(provider_ids):
        SmsProvider.objects.filter(pk=pk).update(position=position)
    record(actor, events.SmsProvidersReordered(target_id=actor.realm_id))


def check_sms_provider(actor: Actor, *, provider_id: UUID, to: str) -> TestResult:
    """Send one real message by this provider alone and tell how far it came. It costs money like any other: counted.

    Outside any transaction: the provider may take its time. Raises PermissionDenied, NotFound, Invalid (to),
    RateLimited. Says sms_provider.tested.
    """
    actor.require(Permission.SETTINGS_WRITE)
    provider = get_sms_provider(actor, provider_id=provider_id)
    checked_address(to, Channel.SMS)
    require(TESTS, "")
    realm = Realm.objects.get(pk=actor.realm_id)
    refused = refused_by_budget(realm, number=to, requested_from=actor.origin.ip, subject_id=actor.id)
    code = "000000" if provider.kind == SmsProviderKind.TWILIO_VERIFY else ""
    result, reference = (refused, "") if refused else _tried(realm, provider, to, code)
    with transaction.atomic():
        record(actor, events.SmsProviderTested(target_id=provider.pk, target_name=provider.name, result=result))
    return TestResult(result=result, reference=reference, over_budget=bool(refused))


def _tried(realm: Realm, provider: SmsProvider, to: str, code: str) -> tuple[str, str]:
    rendered = render(realm, Channel.SMS, "test", {}, realm.setting("language"))
    parcel = Parcel(realm, uuid7(), to, rendered, code=code, language=realm.setting("language"))
    try:
        return "sent", CARRIERS[provider.kind](account_of(provider), parcel)
    except NotTaken as error:
        return error.reason, ""
    except Undeliverable as error:
        return str(error), ""


def _locked(actor: Actor, provider_id: UUID, expected_version: int | None) -> SmsProvider:
    actor.require(Permission.SETTINGS_WRITE)
    provider = for_write(SmsProvider.objects.filter(pk=provider_id)).first()
    if provider is None:
        raise NotFound
    if expected_version is not None and provider.version != expected_version:
        raise Conflict
    return provider


def _refuse_taken(name: str, own_id: UUID | None = None) -> None:
    same = SmsProvider.objects.annotate(lower=Lower("name")).filter(lower=name.lower()).values_list("pk", flat=True)
    if set(same) - {own_id}:
        raise Invalid(_("There is another provider with this name."), field="name", code="name_taken")


def _refuse_redirected(provider: SmsProvider, settings: Mapping[str, Any], new: Mapping[str, str]) -> None:
    """Stops whoever may change settings from having a sealed secret sent where he reads it (AC-10)."""
    before = rules.destination_of(provider.kind, provider.settings)
    if provider.secrets_sealed is None or rules.destination_of(provider.kind, settings) == before:
        return
    missing = [key for key in secrets_of(provider) if not new.get(key)]
    if missing:
        raise Invalid(_("It would go somewhere else now: type it again."), field=missing[0], code="secret_needed")


def _refuse_without_secret(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """A gateway's request that has a place for the secret goes out without it only by mistake."""
    written = [settings.get("url"), settings.get("body"), *(settings.get("headers") or {}).values()]
    if not secrets.get("secret") and any("{secret}" in str(text) for text in written):
        raise Invalid(_("The request has {secret} in it: type it, or take it out."), field="secret")


def _sealed(provider: SmsProvider, secrets: Mapping[str, str]) -> bytes | None:
    if not secrets:
        return None
    return seal(
        json.dumps(dict(secrets)).encode(),
        realm_id=realm_id_of(provider),
        table=SECRETS_TABLE,
        pk=provider.pk,
        field=SECRETS_FIELD,
    )
