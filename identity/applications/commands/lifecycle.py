"""Secrets of applications, and their end."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.applications import events
from identity.applications.commands.registration import given_or_new_secret, locked_application, make_secret
from identity.applications.models import (
    Application,
    ApplicationStatus,
    ClientSecret,
)
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write

MAX_SECRETS = 2


@transaction.atomic
def add_secret(
    actor: Actor, *, application_id: UUID, expires_at: datetime | None = None, secret: str | None = None
) -> tuple[ClientSecret, str]:
    """A new secret beside the present one, in clear, once: deploy it, then revoke the old one.

    Raises NotFound, PermissionDenied, Conflict (two overlap already, or a public client). Says secret.added.
    """
    application = locked_application(actor, application_id, Permission.APPLICATIONS_SECRETS)
    if not application.is_confidential:
        raise Conflict(
            _("This application is public: it proves itself by PKCE and has no secret."), code="public_client"
        )
    live = ClientSecret.objects.filter(application=application, revoked_at=None).count()
    if live >= MAX_SECRETS:
        raise Conflict(_("There are two secrets already. Revoke one first."), code="too_many_secrets")
    text = given_or_new_secret(secret)
    made = make_secret(application, text, expires_at)
    record(actor, events.SecretAdded(target_id=application.pk, name=application.name, hint=made.hint))
    return made, text


@transaction.atomic
def revoke_secret(actor: Actor, *, application_id: UUID, secret_id: UUID) -> ClientSecret:
    """Let a secret stop at once. Raises NotFound, PermissionDenied. Says secret.revoked."""
    application = locked_application(actor, application_id, Permission.APPLICATIONS_SECRETS)
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
    application = locked_application(actor, application_id, Permission.APPLICATIONS_WRITE)
    if application.status != ApplicationStatus.ACTIVE:
        raise Conflict
    _move(actor, application, ApplicationStatus.DISABLED)
    record(actor, events.ApplicationDisabled(target_id=application.pk, name=application.name))
    return application


@transaction.atomic
def disable_applications(actor: Actor, *, application_ids: Sequence[UUID]) -> int:
    """Disable a selection, all of it or nothing; those that are disabled already stay so. Returns how many changed.

    Raises NotFound when any of them is not the actor's to see (TI-04), PermissionDenied. Says application.disabled.
    """
    changed = 0
    for application_id in application_ids:
        application = locked_application(actor, application_id, Permission.APPLICATIONS_WRITE)
        if application.status == ApplicationStatus.ACTIVE:
            disable_application(actor, application_id=application_id)
            changed += 1
    return changed


@transaction.atomic
def enable_application(actor: Actor, *, application_id: UUID) -> Application:
    """Let a disabled application work again. Raises NotFound, PermissionDenied, Conflict. Says application.enabled."""
    application = locked_application(actor, application_id, Permission.APPLICATIONS_WRITE)
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
    application = locked_application(actor, application_id, Permission.APPLICATIONS_DELETE)
    if typed_name is not None and typed_name.strip() != application.name:
        raise Invalid(_("Type the application’s name to confirm."), field="typed_name")
    _move(actor, application, ApplicationStatus.DELETED)
    ClientSecret.objects.filter(application=application, revoked_at=None).update(revoked_at=clock.now())
    record(
        actor,
        events.ApplicationDeleted(target_id=application.pk, name=application.name, client_id=application.client_id),
    )
    return application
