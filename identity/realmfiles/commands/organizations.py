"""Organizations of a realm file, and who manages them and the applications."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _

from identity.access.commands import (
    add_member,
    create_organization,
    grant_object,
    remove_member,
    rename_organization,
    revoke_object_grant,
)
from identity.access.models import Membership, ObjectGrant, Organization
from identity.access.queries import APPLICATION, ORGANIZATION
from identity.accounts.models import User
from identity.accounts.queries import find_user_by_identifier, find_user_by_key
from identity.realmfiles.commands.people import PeoplePass
from identity.realmfiles.commands.places import at_place
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import ManagerPart, OrganizationPart


class OrganizationsPass(PeoplePass):
    """Groups of people, and what people may do on single objects."""

    def organizations(self) -> None:
        """Organizations with their members and managers."""
        for at, part in enumerate(self.document.organizations or []):
            path = f"organizations[{at}]"
            row = Organization.objects.filter(slug=part.slug).first()
            if row is None:
                name = part.name or part.slug
                row = at_place(path, partial(create_organization, self.actor, slug=part.slug, name=name))
            elif part.name:
                at_place(path, partial(rename_organization, self.actor, organization_id=row.pk, name=part.name))
            self.members(row, part, path)
            self.managers(ORGANIZATION, row.pk, part.managers, path)

    def members(self, row: Organization, part: OrganizationPart, path: str) -> None:
        """Who is named belongs to it; with prune, nobody else."""
        if part.members is None:
            return
        wanted = {self.named(key, f"{path}.members[{at}]").pk for at, key in enumerate(part.members)}
        there = set(Membership.objects.filter(organization=row).values_list("user_id", flat=True))
        for user_id in sorted(wanted - there):
            at_place(path, partial(add_member, self.actor, organization_id=row.pk, user_id=user_id))
        if self.prune:
            for user_id in sorted(there - wanted):
                at_place(path, partial(remove_member, self.actor, organization_id=row.pk, user_id=user_id))

    def application_managers(self) -> None:
        """Managers of applications, once there are people."""
        for at, part in enumerate(self.document.applications or []):
            application = self.application(part.client_id, f"applications[{at}]")
            if application is not None:
                self.managers(APPLICATION, application.pk, part.managers, f"applications[{at}]")

    def managers(self, kind: str, object_id: UUID, parts: Sequence[ManagerPart] | None, path: str) -> None:
        """What is named is granted; with prune, the rest on this object is taken back."""
        if parts is None:
            return
        wanted = {
            (self.named(part.user, f"{path}.managers[{at}].user").pk, permission)
            for at, part in enumerate(parts)
            for permission in part.permissions
        }
        rows = ObjectGrant.objects.filter(content_type__model=kind, object_pk=str(object_id))
        there = set(rows.values_list("user_id", "permission__codename"))
        granting = partial(grant_object, self.actor, kind=kind, object_id=object_id)
        taking = partial(revoke_object_grant, self.actor, kind=kind, object_id=object_id)
        for user_id, permission in sorted(wanted - there):
            at_place(f"{path}.managers", partial(granting, user_id=user_id, permission=permission))
        if self.prune:
            for user_id, permission in sorted(there - wanted):
                at_place(f"{path}.managers", partial(taking, user_id=user_id, permission=permission))

    def named(self, key: str, path: str) -> User:
        """The person whom the file calls `key`. Raises RealmFileInvalid."""
        user = find_user_by_key(key) or find_user_by_identifier(key)
        if user is None:
            raise RealmFileInvalid([(path, _("There is no such person: %(name)s.") % {"name": key})])
        return user
