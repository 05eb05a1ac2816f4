"""Writes of applications, their secrets, scopes and resource servers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.applications import events, rules
from identity.applications.models import (
    Application,
    ApplicationStatus,
    ApplicationType,
    AuthMethod,
    ClientSecret,
    RedirectUri,
    ResourceServer,
    Scope,
    UriKind,
)
from identity.applications.queries import SECRET_LABEL, uris_of
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, new_secret
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.events import Changes, Event, changes_of
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write

MAX_SECRETS = 2
DETAILS = ("name", "description", "publisher", "homepage_uri", "privacy_uri", "terms_uri")
GRANTS = (
    "type",
    "grant_types",
    "scopes",
    "token_endpoint_auth_method",
    "first_party",
    "skip_consent",
)
URIS = {
    "redirect_uris": UriKind.REDIRECT,
    "post_logout_redirect_uris": UriKind.POST_LOGOUT,
    "allowed_origins": UriKind.ORIGIN,
}


def _locked(actor: Actor, application_id: UUID, permission: Permission) -> Application:
    application = (
        for_write(Application.objects.filter(pk=application_id)).exclude(status=ApplicationStatus.DELETED).first()
    )
    if application is None or not actor.can(Permission.APPLICATIONS_READ, ("application", application_id)):
        raise NotFound
    actor.require(permission, ("application", application_id))
    return application


def _shape(values: dict[str, Any], redirect_uris: Sequence[str]) -> rules.Shape:
    return rules.checked_shape(
        rules.Shape(
            type=values["type"],
            grant_types=tuple(dict.fromkeys(values["grant_types"])),
            token_endpoint_auth_method=values["token_endpoint_auth_method"],
            first_party=values["first_party"],
            skip_consent=values["skip_consent"],
            redirect_uris=tuple(redirect_uris),
        )
    )


def _checked_scopes(names: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(names))
    known = set(Scope.objects.filter(name__in=wanted).values_list("name", flat=True))
    for name in wanted:
        if name not in known:
            raise Invalid(_("The scope %(name)s does not exist in this realm.") % {"name": name[:80]}, field="scopes")
    return wanted


def _checked_details(values: dict[str, Any]) -> dict[str, str]:
    out = {name: str(values[name]).strip() for name in DETAILS if name in values}
    if "name" in out:
        out["name"] = rules.checked_name(out["name"])
    for name in ("homepage_uri", "privacy_uri", "terms_uri"):
        if out.get(name) and not out[name].startswith(("https://", "http://")):
            raise Invalid(_("Use an address that begins with https://."), field=name)
    for name, most in (
        ("description", 300),
        ("publisher", 200),
        ("homepage_uri", 500),
        ("privacy_uri", 500),
        ("terms_uri", 500),
    ):
        if len(out.get(name, "")) > most:
            raise Invalid(_("Use at most %(count)s characters.") % {"count": most}, field=name)
    return out


def _set_uris(application: Application, kind: str, uris: Sequence[str]) -> None:
    RedirectUri.objects.filter(application=application, kind=kind).exclude(uri__in=uris).delete()
    present = set(uris_of(application, kind))
    RedirectUri.objects.bulk_create(
        RedirectUri(application=application, kind=kind, uri=uri) for uri in uris if uri not in present
    )


def _make_secret(application: Application, text: str, expires_at: datetime | None) -> ClientSecret:
    secret = ClientSecret(
        application=application,
        digest=keyed_hash(SECRET_LABEL, application.realm_id, text),
        hint=text[-4:],
        created_at=clock.now(),
        expires_at=expires_at,
    )
    secret.save(force_insert=True)
    return secret


@transaction.atomic
def register_application(
    actor: Actor,
    *,
    name: str,
    type: str,
    client_id: str | None = None,
    redirect_uris: Sequence[str] = (),
    post_logout_redirect_uris: Sequence[str] = (),
    allowed_origins: Sequence[str] = (),
    grant_types: Sequence[str] | None = None,
    scopes: Sequence[str] = ("openid", "profile", "email"),
    token_endpoint_auth_method: str | None = None,
    first_party: bool = False,
    skip_consent: bool = False,
    secret: str | None = None,
    **details: str,
) -> tuple[Application, str | None]:
    """Register a client and give its secret in clear, once; None for public clients.

    secret: only from a realm file's environment reference, 32 characters or more. Raises PermissionDenied, Invalid
    (naming the field). Says application.registered and, for confidential clients, secret.added.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    if type not in ApplicationType.values:
        raise Invalid(_("Choose a type."), field="type")
    public = type in (ApplicationType.SPA, ApplicationType.NATIVE)
    uris = rules.checked_uris(redirect_uris, type)
    shape = _shape(
        {
            "type": type,
            "grant_types": grant_types if grant_types is not None else rules.DEFAULT_GRANTS[type],
            "token_endpoint_auth_method": token_endpoint_auth_method
            or (AuthMethod.NONE if public else AuthMethod.BASIC),
            "first_party": first_party,
            "skip_consent": skip_consent,
        },
        uris,
    )
    checked = _checked_details({"name": name, **details})
    now = clock.now()
    application = Application(
        type=type,
        client_type=Application.CLIENT_CONFIDENTIAL if shape.is_confidential else Application.CLIENT_PUBLIC,
        grant_types=list(shape.grant_types),
        scopes=_checked_scopes(scopes),
        token_endpoint_auth_method=shape.token_endpoint_auth_method,
        first_party=first_party,
        skip_consent=skip_consent,
        created=now,
        updated=now,
        **checked,
    )
    if client_id is not None:
        application.client_id = rules.checked_client_id(client_id)
        if Application.objects.filter(client_id=client_id).exists():
            raise Invalid(
                _("This client ID is taken, or a deleted application had it."),
                field="client_id",
                code="client_id_taken",
            )
    application.save(force_insert=True)
    _set_uris(application, UriKind.REDIRECT, uris)
    _set_uris(
        application,
        UriKind.POST_LOGOUT,
        rules.checked_uris(post_logout_redirect_uris, type, field="post_logout_redirect_uris"),
    )
    _set_uris(application, UriKind.ORIGIN, rules.checked_origins(allowed_origins))
    record(
        actor,
        events.ApplicationRegistered(
            target_id=application.pk, name=application.name, client_id=application.client_id, application_type=type
        ),
    )
    if not shape.is_confidential:
        return application, None
    text = _given_or_new(secret)
    made = _make_secret(application, text, None)
    record(actor, events.SecretAdded(target_id=application.pk, name=application.name, hint=made.hint))
    return application, text


def _given_or_new(secret: str | None) -> str:
    if secret is None:
        return new_secret()
    if len(secret) < 32:
        raise Invalid(_("A secret needs 32 characters or more."), field="secret")
    return secret


def _values(application: Application, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(application, name) for name in names}


@transaction.atomic
def change_application(
    actor: Actor, *, application_id: UUID, expected_version: int | None = None, **fields: Any
) -> Application:
    """Change the named fields; what stays the same says nothing.

    fields: DETAILS, GRANTS, redirect_uris, post_logout_redirect_uris, allowed_origins. Raises NotFound,
    PermissionDenied, Invalid (the field), Conflict (somebody saved meanwhile). Says application.details_changed,
    application.grants_changed, application.redirect_uris_changed, as it applies.
    """
    application = _locked(actor, application_id, Permission.APPLICATIONS_WRITE)
    if expected_version is not None and application.version != expected_version:
        raise Conflict
    for name in fields:
        if name not in DETAILS and name not in GRANTS and name not in URIS:
            raise Invalid(_("There is no such setting."), field=name)
    if ("first_party" in fields or "skip_consent" in fields) and not actor.can(Permission.APPLICATIONS_WRITE):
        # A manager of one application can't make it the realm's own and take people's consent away (AC-02).
        for name in ("first_party", "skip_consent"):
            if name in fields and fields[name] != getattr(application, name):
                actor.require(Permission.APPLICATIONS_WRITE)
    said: list[Event] = []
    details = _checked_details(fields)
    changed = changes_of(_values(application, list(details)), details)
    for name, value in details.items():
        setattr(application, name, value)
    if changed:
        said.append(events.ApplicationDetailsChanged(target_id=application.pk, name=application.name, changes=changed))
    type_ = fields.get("type", application.type)
    uri_changes: dict[str, tuple[Any, Any]] = {}
    for name, kind in URIS.items():
        before = uris_of(application, kind)
        if name not in fields:
            continue
        after = (
            rules.checked_origins(fields[name])
            if kind == UriKind.ORIGIN
            else rules.checked_uris(fields[name], type_, field=name)
        )
        if list(after) != before:
            _set_uris(application, kind, after)
            uri_changes[name] = (before, list(after))
    if uri_changes:
        said.append(
            events.ApplicationRedirectUrisChanged(target_id=application.pk, name=application.name, changes=uri_changes)
        )
    if grants := _change_grants(application, fields):
        said.append(events.ApplicationGrantsChanged(target_id=application.pk, name=application.name, changes=grants))
    if not said:
        return application
    application.version += 1
    application.updated = clock.now()
    application.save()
    for each in said:
        record(actor, each)
    return application


def _change_grants(application: Application, fields: dict[str, Any]) -> Changes:
    before = _values(application, GRANTS)
    wanted = {**before, **{name: fields[name] for name in GRANTS if name in fields}}
    shape = _shape(wanted, uris_of(application))
    if "scopes" in fields:
        wanted["scopes"] = _checked_scopes(fields["scopes"])
    wanted["grant_types"] = list(shape.grant_types)
    for name, value in wanted.items():
        setattr(application, name, value)
    application.client_type = Application.CLIENT_CONFIDENTIAL if shape.is_confidential else Application.CLIENT_PUBLIC
    return changes_of(before, wanted)


@transaction.atomic
def add_secret(
    actor: Actor, *, application_id: UUID, expires_at: datetime | None = None, secret: str | None = None
) -> tuple[ClientSecret, str]:
    """A new secret beside the present one, in clear, once: deploy it, then revoke the old one.

    Raises NotFound, PermissionDenied, Conflict (two overlap already, or a public client). Says secret.added.
    """
    application = _locked(actor, application_id, Permission.APPLICATIONS_SECRETS)
    if not application.is_confidential:
        raise Conflict(
            _("This application is public: it proves itself by PKCE and has no secret."), code="public_client"
        )
    live = ClientSecret.objects.filter(application=application, revoked_at=None).count()
    if live >= MAX_SECRETS:
        raise Conflict(_("There are two secrets already. Revoke one first."), code="too_many_secrets")
    text = _given_or_new(secret)
    made = _make_secret(application, text, expires_at)
    record(actor, events.SecretAdded(target_id=application.pk, name=application.name, hint=made.hint))
    return made, text


@transaction.atomic
def revoke_secret(actor: Actor, *, application_id: UUID, secret_id: UUID) -> ClientSecret:
    """Let a secret stop at once. Raises NotFound, PermissionDenied. Says secret.revoked."""
    application = _locked(actor, application_id, Permission.APPLICATIONS_SECRETS)
    secret = for_write(ClientSecret.objects.filter(pk=secret_id, application=application, revoked_at=None)).first()
    if secret is None:
        raise NotFound
    secret.revoked_at = clock.now()
    secret.save(update_fields=["revoked_at"])
    record(actor, events.SecretRevoked(target_id=application.pk, name=application.name, hint=secret.hint))
    return secret


def _move(actor: Actor, application: Application, status: ApplicationStatus) -> None:
    application.status = status
    application.status_changed_at = application.updated = clock.now()
    application.status_by = actor.id
    application.version += 1
    application.save(update_fields=["status", "status_changed_at", "status_by", "updated", "version"])


@transaction.atomic
def disable_application(actor: Actor, *, application_id: UUID) -> Application:
    """Refuse it everywhere from now on. Raises NotFound, PermissionDenied, Conflict. Says application.disabled."""
    application = _locked(actor, application_id, Permission.APPLICATIONS_WRITE)
    if application.status != ApplicationStatus.ACTIVE:
        raise Conflict
    _move(actor, application, ApplicationStatus.DISABLED)
    record(actor, events.ApplicationDisabled(target_id=application.pk, name=application.name))
    return application


@transaction.atomic
def enable_application(actor: Actor, *, application_id: UUID) -> Application:
    """Let a disabled application work again. Raises NotFound, PermissionDenied, Conflict. Says application.enabled."""
    application = _locked(actor, application_id, Permission.APPLICATIONS_WRITE)
    if application.status != ApplicationStatus.DISABLED:
        raise Conflict
    _move(actor, application, ApplicationStatus.ACTIVE)
    record(actor, events.ApplicationEnabled(target_id=application.pk, name=application.name))
    return application


@transaction.atomic
def delete_application(actor: Actor, *, application_id: UUID, typed_name: str | None = None) -> Application:
    """Delete it: refused everywhere, gone from lists; the row and its client id stay for what refers to them.

    typed_name: what the person typed to confirm; None where no person confirms (realm files). Raises NotFound,
    PermissionDenied, Invalid (typed_name). Says application.deleted.
    """
    application = _locked(actor, application_id, Permission.APPLICATIONS_DELETE)
    if typed_name is not None and typed_name.strip() != application.name:
        raise Invalid(_("Type the application's name to confirm."), field="typed_name")
    _move(actor, application, ApplicationStatus.DELETED)
    ClientSecret.objects.filter(application=application, revoked_at=None).update(revoked_at=clock.now())
    record(
        actor,
        events.ApplicationDeleted(target_id=application.pk, name=application.name, client_id=application.client_id),
    )
    return application


@transaction.atomic
def ensure_built_in_scopes(actor: Actor) -> int:
    """The scopes that every realm has; those that exist stay as they are. Returns how many were made.

    Says scope.created for each. Raises PermissionDenied.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    present = set(Scope.objects.filter(built_in=True).values_list("name", flat=True))
    made = 0
    for name, (title, description) in rules.BUILT_IN_SCOPES.items():
        if name in present:
            continue
        scope = Scope(name=name, title=title, description=description, built_in=True)
        scope.save(force_insert=True)
        record(actor, events.ScopeCreated(target_id=scope.pk, name=name))
        made += 1
    return made


@transaction.atomic
def create_scope(
    actor: Actor,
    *,
    name: str,
    title: str,
    description: str = "",
    sensitive: bool = False,
    resource_server_id: UUID | None = None,
) -> Scope:
    """A new scope value, of a resource server or of the realm. Raises PermissionDenied, Invalid, NotFound.

    Says scope.created.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    name = rules.checked_scope_name(name)
    if Scope.objects.filter(name=name).exists():
        raise Invalid(_("There is a scope of this name already."), field="name", code="scope_taken")
    server = None
    if resource_server_id is not None:
        server = ResourceServer.objects.filter(pk=resource_server_id).first()
        if server is None:
            raise NotFound
    scope = Scope(
        name=name,
        title=(title.strip() or name)[:200],
        description=description.strip()[:300],
        sensitive=sensitive,
        resource_server=server,
    )
    scope.save(force_insert=True)
    record(actor, events.ScopeCreated(target_id=scope.pk, name=name))
    return scope


@transaction.atomic
def change_scope(
    actor: Actor,
    *,
    scope_id: UUID,
    title: str | None = None,
    description: str | None = None,
    sensitive: bool | None = None,
) -> Scope:
    """Change how a scope is explained to people. Raises PermissionDenied, NotFound. Says scope.changed."""
    actor.require(Permission.APPLICATIONS_WRITE)
    scope = for_write(Scope.objects.filter(pk=scope_id)).first()
    if scope is None:
        raise NotFound
    wanted = {
        name: value
        for name, value in (("title", title), ("description", description), ("sensitive", sensitive))
        if value is not None
    }
    changed = changes_of({name: getattr(scope, name) for name in wanted}, wanted)
    if not changed:
        return scope
    for name, value in wanted.items():
        setattr(scope, name, value)
    scope.save(update_fields=list(wanted))
    record(actor, events.ScopeChanged(target_id=scope.pk, name=scope.name, changes=changed))
    return scope


@transaction.atomic
def delete_scope(actor: Actor, *, scope_id: UUID) -> None:
    """Remove a scope that is not built in. Raises PermissionDenied, NotFound, Conflict. Says scope.deleted."""
    actor.require(Permission.APPLICATIONS_WRITE)
    scope = for_write(Scope.objects.filter(pk=scope_id)).first()
    if scope is None:
        raise NotFound
    if scope.built_in:
        raise Conflict(_("Built-in scopes stay."), code="built_in")
    event = events.ScopeDeleted(target_id=scope.pk, name=scope.name)
    scope.delete()
    record(actor, event)


@transaction.atomic
def create_resource_server(actor: Actor, *, identifier: str, name: str) -> ResourceServer:
    """An API whose identifier becomes the audience of tokens for it. Raises PermissionDenied, Invalid.

    Says resource_server.created.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    identifier = identifier.strip()
    # RFC 8707, 2: an absolute URI without a fragment
    if len(identifier) > 500 or "#" in identifier or not identifier.startswith(("https://", "http://", "urn:")):
        raise Invalid(_("Use an absolute URI without a fragment, such as https://api.example.com."), field="identifier")
    if ResourceServer.objects.filter(identifier=identifier).exists():
        raise Invalid(_("There is an API with this identifier already."), field="identifier", code="identifier_taken")
    server = ResourceServer(identifier=identifier, name=rules.checked_name(name), created_at=clock.now())
    server.save(force_insert=True)
    record(actor, events.ResourceServerCreated(target_id=server.pk, name=server.name, identifier=identifier))
    return server


@transaction.atomic
def change_resource_server(actor: Actor, *, resource_server_id: UUID, name: str) -> ResourceServer:
    """Rename an API; its identifier stays, since tokens name it. Raises PermissionDenied, NotFound, Invalid.

    Says resource_server.changed.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    server = for_write(ResourceServer.objects.filter(pk=resource_server_id)).first()
    if server is None:
        raise NotFound
    changed = changes_of({"name": server.name}, {"name": rules.checked_name(name)})
    if changed:
        server.name = changed["name"][1]
        server.save(update_fields=["name"])
        record(actor, events.ResourceServerChanged(target_id=server.pk, name=server.name, changes=changed))
    return server


@transaction.atomic
def delete_resource_server(actor: Actor, *, resource_server_id: UUID) -> None:
    """Remove an API with its scopes. Raises PermissionDenied, NotFound. Says resource_server.deleted."""
    actor.require(Permission.APPLICATIONS_WRITE)
    server = for_write(ResourceServer.objects.filter(pk=resource_server_id)).first()
    if server is None:
        raise NotFound
    event = events.ResourceServerDeleted(target_id=server.pk, name=server.name)
    server.delete()
    record(actor, event)
