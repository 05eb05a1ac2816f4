"""Deleting what a realm file does not name, in the sections that it has."""

from functools import partial

from identity.access.commands import (
    delete_organization,
    delete_role,
)
from identity.access.models import Organization, Role
from identity.accounts.commands import (
    delete_user,
)
from identity.accounts.models import User
from identity.applications.commands import (
    delete_application,
    delete_resource_server,
    delete_scope,
)
from identity.applications.models import Application, ApplicationStatus, ResourceServer, Scope
from identity.courier.commands import delete_sms_provider
from identity.courier.queries import find_sms_providers
from identity.realmfiles.commands.attributes import AttributesPass
from identity.realmfiles.commands.messages import MessagesPass
from identity.realmfiles.commands.organizations import OrganizationsPass
from identity.realmfiles.commands.places import at_place
from identity.realmfiles.commands.providers import ProvidersPass


class WholePass(AttributesPass, OrganizationsPass, ProvidersPass, MessagesPass):
    """Everything, and at the end the pruning."""

    def run(self) -> dict[str, str]:
        """In the order of what refers to what; pruning the other way round. Returns generated secrets."""
        self.resource_servers()
        self.scopes()
        self.applications()
        self.roles()
        self.attributes()
        self.users()
        self.organizations()
        self.application_managers()
        self.providers()
        self.sms_providers()
        self.signing_keys()
        if self.prune:
            self.prune_all()
        return self.secrets

    def prune_all(self) -> None:
        """Delete what the file's sections don't name. Sections that it lacks stay untouched."""
        document = self.document
        if document.organizations is not None:
            slugs = {part.slug for part in document.organizations}
            for organization in Organization.objects.exclude(slug__in=slugs):
                gone = partial(delete_organization, self.actor, organization_id=organization.pk)
                at_place("organizations", gone)
        if document.users is not None:
            kept = {part.match for part in document.users}
            for user in User.objects.exclude(key__in=kept):
                if (user.key or user.email or user.username or user.phone) not in kept:
                    at_place("users", partial(delete_user, self.actor, user_id=user.pk))
        if document.roles is not None:
            named = {(p.kind, p.application, p.name.lower()) for p in document.roles}
            for role in Role.objects.filter(built_in=False).select_related("application"):
                client_id = role.application.client_id if role.application else None
                if (role.kind, client_id, role.name.lower()) not in named:
                    at_place("roles", partial(delete_role, self.actor, role_id=role.pk))
        if document.applications is not None:
            ids = {part.client_id for part in document.applications}
            for app in Application.objects.exclude(client_id__in=ids).exclude(status=ApplicationStatus.DELETED):
                at_place("applications", partial(delete_application, self.actor, application_id=app.pk))
        self.prune_attributes()
        self.prune_carriers()
        self.prune_scopes()
        self.prune_providers()

    def prune_carriers(self) -> None:
        """Who carried text messages and is not named any more."""
        if self.document.sms_providers is not None:
            carriers = {provider.name.lower() for provider in self.document.sms_providers}
            for provider in find_sms_providers(self.actor):
                if provider.name.lower() not in carriers:
                    at_place("sms_providers", partial(delete_sms_provider, self.actor, provider_id=provider.pk))

    def prune_scopes(self) -> None:
        """Scopes and APIs that the file doesn't name."""
        document = self.document
        if document.resource_servers is not None:
            identifiers = {part.identifier for part in document.resource_servers}
            for server in ResourceServer.objects.exclude(identifier__in=identifiers):
                at_place("resource_servers", partial(delete_resource_server, self.actor, resource_server_id=server.pk))
            for part in document.resource_servers:
                names = {scope.name for scope in part.scopes}
                for scope in Scope.objects.filter(resource_server__identifier=part.identifier).exclude(name__in=names):
                    at_place("resource_servers", partial(delete_scope, self.actor, scope_id=scope.pk))
        if document.scopes is not None:
            names = {scope.name for scope in document.scopes}
            for scope in Scope.objects.filter(resource_server=None, built_in=False).exclude(name__in=names):
                at_place("scopes", partial(delete_scope, self.actor, scope_id=scope.pk))
