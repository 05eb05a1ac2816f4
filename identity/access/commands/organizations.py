"""Writes of organizations and of who belongs to them."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.access import events, rules
from identity.access.commands.people import locked_person
from identity.access.models import Membership, ObjectGrant, Organization
from identity.access.queries import ORGANIZATION, organization_scopes
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.rules import checked_slug


def _locked(organization_id: UUID) -> Organization:
    row = for_write(Organization.objects.filter(pk=organization_id)).first()
    if row is None:
        raise NotFound
    return row


@transaction.atomic
def create_organization(actor: Actor, *, slug: str, name: str) -> Organization:
    """A new organization without people. Raises PermissionDenied, Invalid (slug, name). Says organization.created."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    row = Organization(slug=checked_slug(slug), name=rules.checked_organization_name(name), created_at=clock.now())
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Invalid(_("This slug is taken."), field="slug", code="slug_taken") from None
    record(actor, events.OrganizationCreated(target_id=row.pk, target_name=row.name, name=row.name, slug=row.slug))
    return row


@transaction.atomic
def rename_organization(actor: Actor, *, organization_id: UUID, name: str) -> Organization:
    """Another name; the slug stays. Raises PermissionDenied, NotFound, Invalid. Says organization.renamed."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    row = _locked(organization_id)
    before, row.name = row.name, rules.checked_organization_name(name)
    if before != row.name:
        row.save(update_fields=["name"])
        changes = {"name": (before, row.name)}
        record(
            actor,
            events.OrganizationRenamed(target_id=row.pk, target_name=row.name, name=row.name, changes=changes),
        )
    return row


@transaction.atomic
def delete_organization(actor: Actor, *, organization_id: UUID, expected_members: int | None = None) -> None:
    """Delete an organization with its memberships and whatever was granted on it (AC-07, TI-23); the people stay.

    Raises PermissionDenied, NotFound, Conflict (it has more members than the admin saw). Says organization.deleted.
    """
    actor.require(Permission.ORGANIZATIONS_WRITE)
    row = _locked(organization_id)
    if expected_members is not None and Membership.objects.filter(organization=row).count() > expected_members:
        raise Conflict(_("It has more members now than when you looked."), code="grown")
    members, _by_table = Membership.objects.filter(organization=row).delete()
    grants, _by_table = ObjectGrant.objects.filter(content_type__model=ORGANIZATION, object_pk=str(row.pk)).delete()
    gone = row.pk
    row.delete()
    record(
        actor,
        events.OrganizationDeleted(target_id=gone, target_name=row.name, name=row.name, members=members, grants=grants),
    )


@transaction.atomic
def add_member(actor: Actor, *, organization_id: UUID, user_id: UUID) -> Membership:
    """A person belongs to an organization from now on. Raises PermissionDenied, NotFound.

    Whoever manages an organization acts on its members, so nobody brings a person under his own hands: what he holds on
    this organization alone he must hold on that person already (AC-02). Says membership.added; nothing when it was so.
    """
    actor.require(Permission.ORGANIZATIONS_WRITE)
    person = locked_person(user_id)
    row = _locked(organization_id)
    there = Membership.objects.filter(organization=row, user_id=user_id).first()
    if there is not None:
        return there
    own = organization_scopes(user_id)
    for permission, kind, object_id in sorted(actor.object_permissions):
        if (kind, object_id) == (ORGANIZATION, row.pk):
            actor.require(permission, *own)
    membership = Membership(organization=row, user_id=user_id, created_at=clock.now())
    membership.save(force_insert=True)
    record(
        actor,
        events.MembershipAdded(
            target_id=user_id,
            subject_id=user_id,
            target_name=person.display_name,
            organization_id=row.pk,
            organization=row.name,
        ),
    )
    return membership


@transaction.atomic
def remove_member(actor: Actor, *, organization_id: UUID, user_id: UUID) -> None:
    """A person no longer belongs to an organization. Raises PermissionDenied, NotFound.

    Says membership.removed; nothing when it was so already.
    """
    actor.require(Permission.ORGANIZATIONS_WRITE)
    person = locked_person(user_id)
    row = _locked(organization_id)
    there = Membership.objects.filter(organization=row, user_id=user_id).first()
    if there is None:
        return
    there.delete()
    record(
        actor,
        events.MembershipRemoved(
            target_id=user_id,
            subject_id=user_id,
            target_name=person.display_name,
            organization_id=row.pk,
            organization=row.name,
        ),
    )
