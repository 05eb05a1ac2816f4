"""APIs, scopes and applications of a realm file."""

from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _

from identity.applications.commands import (
    add_secret,
    change_application,
    change_resource_server,
    change_scope,
    create_resource_server,
    create_scope,
    let_act_for,
    register_application,
)
from identity.applications.models import Application, ResourceServer, Scope
from identity.applications.queries import get_application_by_client_id, verify_secret
from identity.realmfiles.commands.places import Pass, at_place
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import (
    ApplicationPart,
    ScopePart,
)


class ClientsPass(Pass):
    """What asks for tokens, and for what."""

    def resource_servers(self) -> None:
        """APIs and their scopes."""
        for at, part in enumerate(self.document.resource_servers or []):
            path = f"resource_servers[{at}]"
            server = ResourceServer.objects.filter(identifier=part.identifier).first()
            if server is None:
                server = at_place(
                    path, partial(create_resource_server, self.actor, identifier=part.identifier, name=part.name)
                )
            else:
                at_place(
                    path,
                    partial(change_resource_server, self.actor, resource_server_id=server.pk, name=part.name),
                )
            for inner, scope in enumerate(part.scopes):
                self.scope(scope, f"{path}.scopes[{inner}]", server.pk)

    def scopes(self) -> None:
        """The realm's own scopes."""
        for at, part in enumerate(self.document.scopes or []):
            self.scope(part, f"scopes[{at}]", None)

    def scope(self, part: ScopePart, path: str, server_id: UUID | None) -> None:
        """One scope value."""
        scope = Scope.objects.filter(name=part.name).first()
        if scope is None:
            at_place(
                path,
                partial(
                    create_scope,
                    self.actor,
                    name=part.name,
                    title=part.title or part.name,
                    description=part.description or "",
                    sensitive=bool(part.sensitive),
                    resource_server_id=server_id,
                ),
            )
            return
        if scope.resource_server_id != server_id:
            raise RealmFileInvalid([(f"{path}.name", _("This scope belongs to another API."))])
        at_place(
            path,
            partial(
                change_scope,
                self.actor,
                scope_id=scope.pk,
                title=part.title,
                description=part.description,
                sensitive=part.sensitive,
            ),
        )

    def applications(self) -> None:
        """Client applications and their secrets."""
        for at, part in enumerate(self.document.applications or []):
            path = f"applications[{at}]"
            given = self.value(part.secret, f"{path}.secret") if part.secret else None
            application = get_application_by_client_id(part.client_id)
            if application is None:
                application = self.new_application(part, path, given)
            else:
                fields = part.model_dump(exclude={"acts_for", "client_id", "managers", "secret"}, exclude_none=True)
                at_place(path, partial(change_application, self.actor, application_id=application.pk, **fields))
            self.acts_for(part, application.pk, f"{path}.acts_for")
            if given and verify_secret(application, given) is None:
                at_place(
                    f"{path}.secret",
                    partial(add_secret, self.actor, application_id=application.pk, secret=given),
                )

    def acts_for(self, part: ApplicationPart, application_id: UUID, path: str) -> None:
        """The API that it is; what the file does not name stays as it is."""
        if part.acts_for is None:
            return
        server = ResourceServer.objects.filter(identifier=part.acts_for).first()
        if server is None:
            raise RealmFileInvalid([(path, "There is no API with this identifier.")])
        at_place(path, partial(let_act_for, self.actor, application_id=application_id, resource_server_id=server.pk))

    def new_application(self, part: ApplicationPart, path: str, given: str | None) -> Application:
        """Register one."""
        fields = part.model_dump(exclude={"acts_for", "managers", "secret"}, exclude_none=True)
        required = fields.pop("required_acr", None)
        fields.setdefault("type", "web")
        fields.setdefault("name", part.client_id)
        application, secret = at_place(path, partial(register_application, self.actor, secret=given, **fields))
        if required:
            wanted = partial(change_application, self.actor, application_id=application.pk, required_acr=required)
            at_place(f"{path}.required_acr", wanted)
        if secret and given is None:
            self.secrets[part.client_id] = secret
        return application
