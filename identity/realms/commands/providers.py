"""Writes of identity providers: who else signs people in. Secrets go in and are never shown again."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import seal
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.events import changes_of
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms import events, providers
from identity.realms.models import IdentityProvider
from identity.realms.queries import PROVIDER_TABLE, SECRETS_FIELD, provider_key, secrets_of

MOST_PROVIDERS = 50
CHANGEABLE = ("name", "client_id", "settings", "scopes", "attribute_mapping", "amr_mapping", "domains", "sign_up")
"""What a change may name. Alias and kind are frozen: links and links' meaning hang on them."""


def _locked(provider_id: UUID) -> IdentityProvider:
    provider = for_write(IdentityProvider.objects.filter(pk=provider_id)).first()
    if provider is None:
        raise NotFound
    return provider


def _links(provider: IdentityProvider) -> QuerySet[Any]:
    """allauth's rows, of a room above, so by the name. Its `provider` carries the realm."""
    links: QuerySet[Any] = apps.get_model("socialaccount", "SocialAccount").objects.filter(
        provider=provider_key(provider), user__realm_id=provider.realm_id
    )
    return links


def _sealed(provider: IdentityProvider, secret: str) -> bytes:
    value = json.dumps({providers.secret_name(provider.kind): secret}).encode()
    return seal(
        value, realm_id=cast(UUID, provider.realm_id), table=PROVIDER_TABLE, pk=provider.pk, field=SECRETS_FIELD
    )


def _refuse_taken_domains(domains: Iterable[str], *, own_id: UUID) -> None:
    """One domain leads to one place. Raises Invalid (field domains)."""
    wanted = set(domains)
    for other in IdentityProvider.objects.exclude(pk=own_id).values_list("name", "domains"):
        if both := wanted & set(other[1]):
            raise Invalid(
                _("%(domain)s leads to %(name)s already.") % {"domain": sorted(both)[0], "name": other[0]},
                field="domains",
                code="domain_taken",
            )


@transaction.atomic
def create_provider(
    actor: Actor,
    *,
    alias: str,
    name: str,
    kind: str,
    client_id: str,
    secret: str = "",
    settings: Mapping[str, Any] | None = None,
    scopes: Iterable[str] | None = None,
    attribute_mapping: Mapping[str, str] | None = None,
    amr_mapping: Mapping[str, str] | None = None,
    domains: Iterable[str] = (),
    sign_up: str = "link",
    enabled: bool = True,
) -> IdentityProvider:
    """Let people come in through somebody else.

    Raises PermissionDenied, Invalid (the field), Conflict (too many). Says provider.created.
    """
    actor.require(Permission.SETTINGS_WRITE)
    kind = providers.checked_kind(kind)
    alias = providers.checked_alias(alias)
    if IdentityProvider.objects.filter(alias=alias).exists():
        raise Invalid(_("Another provider has this name in links."), field="alias", code="alias_taken")
    if IdentityProvider.objects.count() >= MOST_PROVIDERS:
        raise Conflict(_("A realm has at most %(most)s providers.") % {"most": MOST_PROVIDERS}, code="too_many")
    last = IdentityProvider.objects.aggregate(last=Max("position"))["last"]
    provider = IdentityProvider(
        realm_id=actor.realm_id,
        alias=alias,
        name=providers.checked_line(name, field="name", most=100),
        kind=kind,
        client_id=providers.checked_line(client_id, field="client_id", most=255),
        settings=providers.checked_settings(kind, settings or {}),
        scopes=providers.checked_scopes(kind, scopes),
        attribute_mapping=providers.checked_attribute_mapping(attribute_mapping or {}),
        amr_mapping=providers.checked_amr_mapping(amr_mapping or {}),
        domains=providers.checked_domains(domains),
        sign_up=providers.checked_sign_up(sign_up),
        enabled=enabled,
        position=0 if last is None else last + 1,
        created_at=clock.now(),
    )
    _refuse_taken_domains(provider.domains, own_id=provider.pk)
    if secret:
        provider.secrets_sealed = _sealed(provider, providers.checked_secret(kind, secret))
    elif providers.needs_secret(provider.settings):
        raise Invalid(_("This is needed."), field=providers.secret_name(kind), code="required")
    provider.save(force_insert=True)
    record(actor, events.ProviderCreated(target_id=provider.pk, target_name=provider.name, kind=kind, alias=alias))
    return provider


@transaction.atomic
def change_provider(
    actor: Actor, *, provider_id: UUID, expected_version: int | None = None, secret: str = "", **fields: Any
) -> IdentityProvider:
    """Change what is named in CHANGEABLE. An unchanged value is no change; without `secret`, it stays as it is.

    Where subjects come from (issuer, tenant, endpoints) can't change while people are linked: whoever answers there
    next could come in as them. A secret that would go somewhere else has to be given again (AC-10), and is dropped
    where none is needed. Raises PermissionDenied, NotFound, Invalid, Conflict (somebody saved meanwhile, or people
    are linked). Says provider.changed, provider.secret_changed.
    """
    actor.require(Permission.SETTINGS_WRITE)
    provider = _locked(provider_id)
    if expected_version is not None and provider.version != expected_version:
        raise Conflict
    if secret:
        secret = providers.checked_secret(provider.kind, secret)
    checked = _checked_fields(provider, fields, secret=secret)
    if "domains" in checked:
        _refuse_taken_domains(checked["domains"], own_id=provider.pk)
    differing = changes_of({name: getattr(provider, name) for name in checked}, checked)
    if "settings" in differing:
        before, after = (providers.namespace_of(provider.kind, each) for each in differing["settings"])
        if before != after and _links(provider).exists():
            raise Conflict(
                _("People are linked with this provider, so where it is can’t change. Add another provider instead."),
                code="people_linked",
            )
    resealed = _resealed(provider, checked.get("settings", provider.settings), secret)
    if not differing and not resealed:
        return provider
    for name in differing:
        setattr(provider, name, checked[name])
    if resealed:
        provider.secrets_sealed = _sealed(provider, secret) if secret else None
    provider.version += 1
    provider.save(update_fields=[*differing, "secrets_sealed", "version"])
    about: dict[str, Any] = {"target_id": provider.pk, "target_name": provider.name, "alias": provider.alias}
    if resealed:
        record(actor, events.ProviderSecretChanged(**about))
    if differing:
        record(actor, events.ProviderChanged(**about, changes=differing))
    return provider


def _resealed(provider: IdentityProvider, settings: Mapping[str, Any], secret: str) -> bool:
    """Whether the sealed secret is replaced or dropped.

    Stops whoever may change settings from having it sent to a host of his own, even by the way round of a client that
    needs none. Raises Invalid (the secret's field).
    """
    redirected = providers.destination_of(settings) != providers.destination_of(provider.settings)
    if not provider.secrets_sealed:
        return bool(secret)
    if secret:
        return redirected or secrets_of(provider).get(providers.secret_name(provider.kind)) != secret
    if redirected and providers.needs_secret(settings):
        raise Invalid(
            _("It would go to another host now: type it again."),
            field=providers.secret_name(provider.kind),
            code="secret_needed",
        )
    return redirected


def _checked_fields(provider: IdentityProvider, fields: Mapping[str, Any], *, secret: str) -> dict[str, Any]:
    checks: dict[str, Any] = {
        "name": lambda value: providers.checked_line(value, field="name", most=100),
        "client_id": lambda value: providers.checked_line(value, field="client_id", most=255),
        "settings": lambda value: providers.checked_settings(provider.kind, value),
        "scopes": lambda value: providers.checked_scopes(provider.kind, value),
        "attribute_mapping": providers.checked_attribute_mapping,
        "amr_mapping": providers.checked_amr_mapping,
        "domains": providers.checked_domains,
        "sign_up": providers.checked_sign_up,
    }
    for name in fields:
        if name not in CHANGEABLE:
            raise Invalid(_("This can’t be changed."), field=name, code="no_such_field")
    checked = {name: checks[name](value) for name, value in fields.items()}
    unproven = "settings" in checked and not provider.secrets_sealed and not secret
    if unproven and providers.needs_secret(checked["settings"]):
        raise Invalid(
            _("It has no secret yet. Save one first."), field=providers.secret_name(provider.kind), code="required"
        )
    return checked


@transaction.atomic
def set_provider_secret(actor: Actor, *, provider_id: UUID, secret: str) -> IdentityProvider:
    """Another secret, from now on. Raises PermissionDenied, NotFound, Invalid. Says provider.secret_changed."""
    actor.require(Permission.SETTINGS_WRITE)
    provider = _locked(provider_id)
    provider.secrets_sealed = _sealed(provider, providers.checked_secret(provider.kind, secret))
    provider.version += 1
    provider.save(update_fields=["secrets_sealed", "version"])
    record(
        actor,
        events.ProviderSecretChanged(target_id=provider.pk, target_name=provider.name, alias=provider.alias),
    )
    return provider


def _switch(actor: Actor, provider_id: UUID, *, on: bool) -> IdentityProvider:
    actor.require(Permission.SETTINGS_WRITE)
    provider = _locked(provider_id)
    if provider.enabled == on:
        raise Conflict
    provider.enabled = on
    provider.version += 1
    provider.save(update_fields=["enabled", "version"])
    said = events.ProviderEnabled if on else events.ProviderDisabled
    record(actor, said(target_id=provider.pk, target_name=provider.name, alias=provider.alias))
    return provider


@transaction.atomic
def enable_provider(actor: Actor, *, provider_id: UUID) -> IdentityProvider:
    """Raises PermissionDenied, NotFound, Conflict (it is). Says provider.enabled."""
    return _switch(actor, provider_id, on=True)


@transaction.atomic
def disable_provider(actor: Actor, *, provider_id: UUID) -> IdentityProvider:
    """Nobody comes in through it; links stay. `signin` asks first whether an owner is left who can sign in.

    Raises PermissionDenied, NotFound, Conflict (it is). Says provider.disabled.
    """
    return _switch(actor, provider_id, on=False)


@transaction.atomic
def reorder_providers(actor: Actor, *, provider_ids: Iterable[UUID]) -> None:
    """Put these first, in this order. Raises PermissionDenied, NotFound (one that isn't there). Says

    provider.reordered.
    """
    actor.require(Permission.SETTINGS_WRITE)
    rows = {row.pk: row for row in for_write(IdentityProvider.objects.order_by("position", "pk"))}
    wanted = list(dict.fromkeys(provider_ids))
    if any(provider_id not in rows for provider_id in wanted):
        raise NotFound
    order = [*wanted, *(pk for pk in rows if pk not in wanted)]
    if order == list(rows):
        return
    before = [row.alias for row in rows.values()]
    for position, pk in enumerate(order):
        if rows[pk].position != position:
            rows[pk].position = position
            rows[pk].save(update_fields=["position"])
    after = [rows[pk].alias for pk in order]
    record(actor, events.ProvidersReordered(target_id=actor.realm_id, changes={"order": (before, after)}))


@transaction.atomic
def delete_provider(actor: Actor, *, provider_id: UUID, typed_alias: str) -> int:
    """Delete it and every link with it: under the same alias another issuer's subjects must not become ours.

    Returns how many links went. `signin` asks first whether an owner is left who can sign in. Raises PermissionDenied,
    NotFound, Invalid (typed_alias differs). Says provider.deleted.
    """
    actor.require(Permission.SETTINGS_WRITE)
    provider = _locked(provider_id)
    if typed_alias != provider.alias:
        raise Invalid(_("Type the provider’s name in links to confirm."), field="typed_alias")
    ids = list(_links(provider).values_list("pk", flat=True))
    _links(provider).filter(pk__in=ids).delete()
    said = events.ProviderDeleted(
        target_id=provider.pk,
        target_name=provider.name,
        alias=provider.alias,
        kind=provider.kind,
        links=len(ids),
    )
    provider.delete()
    record(actor, said)
    return len(ids)
