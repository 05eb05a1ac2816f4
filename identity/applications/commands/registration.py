"""Registering applications and changing what they are and may do."""

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
from identity.kernel.tenancy import realm_id_of
from identity.kernel.transactions import for_write

DETAILS = ("name", "description", "publisher", "homepage_uri", "privacy_uri", "terms_uri", "required_acr")
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


def locked_application(actor: Actor, application_id: UUID, permission: Permission) -> Application:
    """The application locked for a write. Raises NotFound, PermissionDenied."""
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
    if out.get("required_acr", "") not in rules.REQUIRABLE_ACRS:
        raise Invalid(_("Choose one of the list."), field="required_acr")
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


def make_secret(application: Application, text: str, expires_at: datetime | None) -> ClientSecret:
    """The row of a secret: its keyed hash and last characters."""
    secret = ClientSecret(
        application=application,
        digest=keyed_hash(SECRET_LABEL, realm_id_of(application), text),
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
    text = given_or_new_secret(secret)
    made = make_secret(application, text, None)
    record(actor, events.SecretAdded(target_id=application.pk, name=application.name, hint=made.hint))
    return application, text


def given_or_new_secret(secret: str | None) -> str:
    """A given secret of 32 characters or more, else a random one. Raises Invalid (field secret)."""
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
    application = locked_application(actor, application_id, Permission.APPLICATIONS_WRITE)
    if expected_version is not None and application.version != expected_version:
        raise Conflict
    _refuse_unknown(actor, application, fields)
    said: list[Event] = []
    details = _checked_details(fields)
    changed = changes_of(_values(application, list(details)), details)
    for name, value in details.items():
        setattr(application, name, value)
    if changed:
        said.append(events.ApplicationDetailsChanged(target_id=application.pk, name=application.name, changes=changed))
    uri_changes = _change_uris(application, fields)
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


def _change_uris(application: Application, fields: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    type_ = fields.get("type", application.type)
    changed: dict[str, tuple[Any, Any]] = {}
    for name, kind in URIS.items():
        if name not in fields:
            continue
        before = uris_of(application, kind)
        after = (
            rules.checked_origins(fields[name])
            if kind == UriKind.ORIGIN
            else rules.checked_uris(fields[name], type_, field=name)
        )
        if list(after) != before:
            _set_uris(application, kind, after)
            changed[name] = (before, list(after))
    return changed


def _refuse_unknown(actor: Actor, application: Application, fields: dict[str, Any]) -> None:
    """A manager of one application can't make it the realm's own and take people's consent away (AC-02)."""
    for name in fields:
        if name not in DETAILS and name not in GRANTS and name not in URIS:
            raise Invalid(_("There is no such setting."), field=name)
        if name in ("first_party", "skip_consent") and fields[name] != getattr(application, name):
            actor.require(Permission.APPLICATIONS_WRITE)


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
