"""Writes of roles and of who holds them. Nobody gives, takes or edits a role that holds more than he (AC-02)."""

from collections.abc import Iterable
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.access import events, rules
from identity.access.commands.people import locked_person
from identity.access.models import Role, RoleAssignment, RoleKind
from identity.access.queries import APPLICATION, is_last_owner, leaves_an_owner, missing_of
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.events import changes_of
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.models import Realm


def _in_platform(actor: Actor) -> bool:
    realm = Realm.objects.filter(pk=actor.realm_id).first()
    return realm is not None and realm.is_platform


def _locked(role_id: UUID) -> Role:
    role = for_write(Role.objects.filter(pk=role_id)).first()
    if role is None:
        raise NotFound
    return role


def _require_held(actor: Actor, words: Iterable[str]) -> None:
    """Raises PermissionDenied, naming a permission that the actor would give away without holding it (AC-02)."""
    missing = missing_of(actor, words)
    if missing:
        raise PermissionDenied(
            _("Nobody gives, takes or changes what he does not hold himself."), permission=missing[0]
        )


def _require_assign(actor: Actor, role: Role) -> None:
    """Console roles need roles:assign on the realm; application roles on the realm or on that application."""
    if role.kind == RoleKind.CONSOLE:
        actor.require(Permission.ROLES_ASSIGN)
        _require_held(actor, role.permissions)
    elif role.application_id:
        actor.require(Permission.ROLES_ASSIGN, (APPLICATION, role.application_id))
    else:
        actor.require(Permission.ROLES_ASSIGN)


def _refuse_built_in(role: Role) -> None:
    if role.built_in:
        raise Conflict(_("Built-in roles can’t be changed. Create a role of your own."), code="built_in_role")


def _taken() -> Invalid:
    return Invalid(_("There is a role of this name already."), field="name", code="name_taken")


@transaction.atomic
def ensure_built_in_roles(actor: Actor) -> list[Role]:
    """The built-in console roles of the actor's realm, made or brought up to date. Changes nothing the second time.

    Raises PermissionDenied. Says role.created, role.permissions_changed.
    """
    actor.require(Permission.ROLES_WRITE)
    platform = _in_platform(actor)
    there = {role.name: role for role in Role.objects.filter(kind=RoleKind.CONSOLE, built_in=True)}
    out: list[Role] = []
    new: list[Role] = []
    for definition in rules.built_in_roles(platform=platform):
        wanted = rules.stored_permissions(definition.held(platform=platform))
        role = there.get(definition.name)
        if role is None:
            role = Role(
                kind=RoleKind.CONSOLE,
                name=definition.name,
                permissions=wanted,
                built_in=True,
                created_at=clock.now(),
            )
            new.append(role)
        elif role.permissions != wanted:
            _write_permissions(actor, role, wanted)
        out.append(role)
    Role.objects.bulk_create(new)
    for role in new:
        record(actor, _created(role))
    return out


def _created(role: Role) -> events.RoleCreated:
    return events.RoleCreated(
        target_id=role.pk,
        target_name=role.name,
        name=role.name,
        kind=role.kind,
        permissions=tuple(role.permissions),
        application_id=role.application_id,
    )


def _write_permissions(actor: Actor, role: Role, wanted: list[str]) -> None:
    before, role.permissions = role.permissions, wanted
    role.save(update_fields=["permissions"])
    record(
        actor,
        events.RolePermissionsChanged(
            target_id=role.pk,
            target_name=role.name,
            name=role.name,
            added=tuple(sorted(set(wanted) - set(before))),
            removed=tuple(sorted(set(before) - set(wanted))),
            changes={"permissions": (before, wanted)},
        ),
    )


@transaction.atomic
def create_role(
    actor: Actor,
    *,
    kind: str,
    name: str,
    description: str = "",
    permissions: Iterable[str] = (),
    application_id: UUID | None = None,
) -> Role:
    """A role of the realm's own. An application role holds no permissions and may belong to one application.

    Raises PermissionDenied (also for a permission that the actor lacks), NotFound (application), Invalid.
    Says role.created.
    """
    actor.require(Permission.ROLES_WRITE)
    if kind not in RoleKind.values:
        raise Invalid(_("There is no such kind of role."), field="kind")
    words: list[str] = []
    if kind == RoleKind.CONSOLE:
        if application_id is not None:
            raise Invalid(_("A console role belongs to no application."), field="application_id")
        checked = rules.checked_permissions(permissions, platform=_in_platform(actor))
        words = rules.stored_permissions(checked)
        _require_held(actor, words)
    elif set(permissions):
        raise Invalid(_("An application role opens nothing in the console."), field="permissions")
    if application_id is not None and not _application_exists(application_id):
        raise NotFound
    role = Role(
        kind=kind,
        name=rules.checked_role_name(name),
        description=rules.checked_description(description),
        permissions=words,
        application_id=application_id,
        created_at=clock.now(),
    )
    _save_named(role, insert=True)
    record(actor, _created(role))
    return role


def _application_exists(application_id: UUID) -> bool:
    applications = apps.get_model("identity", "Application").objects
    return bool(applications.filter(pk=application_id).exclude(status="deleted").exists())


def _save_named(role: Role, *, insert: bool = False) -> None:
    """The database decides about the name: of two who save the same one at once, the second gets the field error."""
    try:
        with transaction.atomic():
            if insert:
                role.save(force_insert=True)
            else:
                role.save(update_fields=["name", "description"])
    except IntegrityError:
        raise _taken() from None


@transaction.atomic
def change_role(
    actor: Actor,
    *,
    role_id: UUID,
    name: str | None = None,
    description: str | None = None,
    permissions: Iterable[str] | None = None,
) -> Role:
    """Change a role of the realm's own; what is None stays. Its kind and application never change.

    Raises PermissionDenied (also when the role holds, or would hold, what the actor lacks), NotFound, Invalid,
    Conflict (built in). Says role.renamed, role.permissions_changed; nothing for no change.
    """
    actor.require(Permission.ROLES_WRITE)
    role = _locked(role_id)
    _refuse_built_in(role)
    _require_held(actor, role.permissions)
    before = {"name": role.name, "description": role.description}
    if name is not None:
        role.name = rules.checked_role_name(name)
    if description is not None:
        role.description = rules.checked_description(description)
    differing = changes_of(before, {"name": role.name, "description": role.description})
    if differing:
        _save_named(role)
        record(
            actor,
            events.RoleRenamed(target_id=role.pk, target_name=role.name, name=role.name, changes=differing),
        )
    if permissions is not None:
        if role.kind != RoleKind.CONSOLE:
            if set(permissions):
                raise Invalid(_("An application role opens nothing in the console."), field="permissions")
            return role
        checked = rules.checked_permissions(permissions, platform=_in_platform(actor))
        wanted = rules.stored_permissions(checked)
        _require_held(actor, wanted)
        if wanted != role.permissions:
            _write_permissions(actor, role, wanted)
    return role


@transaction.atomic
def set_role_requirements(actor: Actor, *, role_id: UUID, requirements: Iterable[str]) -> Role:
    """What holders must have shown for the role to count, also of built-in roles. No change says nothing.

    Raises PermissionDenied (also when the role holds what the actor lacks), NotFound, Invalid, Conflict (nobody could
    own the realm any more). Says role.requirements_changed.
    """
    actor.require(Permission.ROLES_WRITE)
    role = _locked(role_id)
    _require_held(actor, role.permissions)
    wanted = rules.checked_requirements(requirements)
    if wanted == role.requirements:
        return role
    is_owner = role.built_in and role.name == rules.OWNER
    if is_owner and leaves_an_owner(role, role.requirements) and not leaves_an_owner(role, wanted):
        raise Conflict(
            _("No owner meets this yet, so nobody could own the realm. Let one of them meet it first."),
            code="last_owner",
        )
    before, role.requirements = role.requirements, wanted
    role.save(update_fields=["requirements"])
    record(
        actor,
        events.RoleRequirementsChanged(
            target_id=role.pk, target_name=role.name, name=role.name, changes={"requirements": (before, wanted)}
        ),
    )
    return role


@transaction.atomic
def delete_role(actor: Actor, *, role_id: UUID, expected_holders: int | None = None) -> int:
    """Delete a role of the realm's own and take it from everybody. Returns how many people held it.

    Raises PermissionDenied, NotFound, Conflict (built in; more people hold it than the admin saw). Says role.deleted.
    """
    actor.require(Permission.ROLES_WRITE)
    role = _locked(role_id)
    _refuse_built_in(role)
    _require_held(actor, role.permissions)
    holders = RoleAssignment.objects.filter(role=role).count()
    if expected_holders is not None and holders > expected_holders:
        raise Conflict(_("More people hold this role now than when you looked."), details={"holders": holders})
    RoleAssignment.objects.filter(role=role).delete()
    gone = role.pk
    role.delete()
    record(
        actor,
        events.RoleDeleted(target_id=gone, target_name=role.name, name=role.name, kind=role.kind, holders=holders),
    )
    return holders


@transaction.atomic
def assign_role(actor: Actor, *, user_id: UUID, role_id: UUID) -> RoleAssignment:
    """Give a person a role. Holding it already is no change and says nothing.

    Raises PermissionDenied (roles:assign, or a permission that the giver lacks), NotFound. Says role.assigned.
    """
    person = locked_person(user_id)
    role = _locked(role_id)
    _require_assign(actor, role)
    held = RoleAssignment.objects.filter(role=role, user_id=user_id).first()
    if held is not None:
        return held
    assignment = RoleAssignment(role=role, user_id=user_id, assigned_by=actor.id, assigned_at=clock.now())
    assignment.save(force_insert=True)
    record(
        actor,
        events.RoleAssigned(
            target_id=user_id,
            subject_id=user_id,
            target_name=person.display_name,
            role_id=role.pk,
            role=role.name,
            kind=role.kind,
        ),
    )
    return assignment


@transaction.atomic
def unassign_role(actor: Actor, *, user_id: UUID, role_id: UUID) -> None:
    """Take a role from a person; what it opened closes at the next request (AC-07). Not holding it is no change.

    Raises PermissionDenied, NotFound, Conflict (the last owner). Says role.unassigned.
    """
    person = locked_person(user_id)
    role = _locked(role_id)
    _require_assign(actor, role)
    held = RoleAssignment.objects.filter(role=role, user_id=user_id).first()
    if held is None:
        return
    if role.built_in and role.name == rules.OWNER and is_last_owner(user_id):
        raise Conflict(_("This is the last owner. Make somebody else an owner first."), code="last_owner")
    held.delete()
    record(
        actor,
        events.RoleUnassigned(
            target_id=user_id,
            subject_id=user_id,
            target_name=person.display_name,
            role_id=role.pk,
            role=role.name,
            kind=role.kind,
        ),
    )
