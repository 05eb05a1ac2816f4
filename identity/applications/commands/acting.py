"""Which application is an API's own client, and so may introspect the tokens for it (RFC 7662)."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.applications import events
from identity.applications.commands.registration import locked_application
from identity.applications.models import Application, ResourceServer
from identity.audit.record import record
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.events import changes_of
from identity.kernel.permissions import Permission


@transaction.atomic
def let_act_for(actor: Actor, *, application_id: UUID, resource_server_id: UUID | None) -> Application:
    """Let an application act for an API, or for none: it may then introspect tokens of everybody that are for it.

    So it takes the permission on the whole realm: one who may change a single application must not open the tokens of
    others to it (OA-20). Raises PermissionDenied, NotFound, Invalid (field application). Says
    application.acts_for_changed.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    application = locked_application(actor, application_id, Permission.APPLICATIONS_WRITE)
    server = None
    if resource_server_id is not None:
        server = ResourceServer.objects.filter(pk=resource_server_id).first()
        if server is None:
            raise NotFound
        if not application.is_confidential:
            raise Invalid(
                _("Only an application with a secret can act for an API."), field="application", code="not_confidential"
            )
    former = application.acts_for
    changed = changes_of(
        {"acts_for": former.identifier if former else None}, {"acts_for": server.identifier if server else None}
    )
    if not changed:
        return application
    application.acts_for = server
    application.version += 1
    application.save(update_fields=["acts_for", "version"])
    record(actor, events.ApplicationActsForChanged(target_id=application.pk, name=application.name, changes=changed))
    return application
