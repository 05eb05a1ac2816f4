"""Roles, people and signing keys of a realm file."""

from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _

from identity.access.commands import (
    assign_role,
    change_role,
    create_role,
    set_role_requirements,
    unassign_role,
)
from identity.access.models import Role, RoleKind
from identity.access.queries import find_role, roles_of_user
from identity.accounts.commands import (
    change_email,
    change_identifiers,
    change_profile,
    confirm_email,
    create_user,
)
from identity.accounts.models import User
from identity.applications.models import Application
from identity.oauth.commands import import_signing_key
from identity.realmfiles.commands.clients import ClientsPass
from identity.realmfiles.commands.places import at_place
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.keys import PASSPHRASE, open_key
from identity.realmfiles.schema import (
    ApplicationRole,
    EnvReference,
    RolePart,
    UserPart,
)


class PeoplePass(ClientsPass):
    """Who there is, and who holds what."""

    def roles(self) -> None:
        """Roles that are not built in."""
        for at, part in enumerate(self.document.roles or []):
            path = f"roles[{at}]"
            application = self.application(part.application, f"{path}.application")
            role = find_role(part.kind, part.name, application.pk if application else None)
            if role is None:
                self.new_role(part, path, application)
                continue
            changes = part.model_dump(include={"description", "permissions"}, exclude_none=True)
            if changes:
                at_place(path, partial(change_role, self.actor, role_id=role.pk, **changes))
            self.requirements(role.pk, part, path)

    def requirements(self, role_id: UUID, part: RolePart, path: str) -> None:
        """What its holders must have shown."""
        if part.requirements is not None:
            wanted = partial(set_role_requirements, self.actor, role_id=role_id, requirements=part.requirements)
            at_place(f"{path}.requirements", wanted)

    def new_role(self, part: RolePart, path: str, application: Application | None) -> None:
        """Create one."""
        role = at_place(
            path,
            partial(
                create_role,
                self.actor,
                name=part.name,
                kind=part.kind,
                description=part.description or "",
                permissions=part.permissions or [],
                application_id=application.pk if application else None,
            ),
        )
        self.requirements(role.pk, part, path)

    def users(self) -> None:
        """People and their roles."""
        for at, part in enumerate(self.document.users or []):
            path = f"users[{at}]"
            user = self.person(part)
            if user is None:
                user = self.new_user(part, path)
            else:
                self.known_user(user, part, path)
            self.user_roles(user, part, path)
            self.user_more(user, part, path)

    def user_more(self, user: User, part: UserPart, path: str) -> None:
        """What else a file says of a person (AttributesPass)."""

    def person(self, part: UserPart) -> User | None:
        """The person of this key; one that a file without keys made is found by what the key defaults to."""
        found = User.objects.filter(key=part.match).first()
        if found is not None or part.key is not None:
            return found
        if part.email:
            return User.objects.filter(email__iexact=part.email).first()
        if part.username:
            return User.objects.filter(username__iexact=part.username).first()
        return User.objects.filter(phone=part.phone).first()

    def new_user(self, part: UserPart, path: str) -> User:
        """Create one, with the password if there is one."""
        password = part.password
        if isinstance(password, EnvReference):
            password = self.value(password, f"{path}.password")
        return at_place(
            path,
            partial(
                create_user,
                self.actor,
                key=part.match,
                email=part.email,
                username=part.username,
                phone=part.phone,
                name=part.name or "",
                email_verified=part.email_verified,
                phone_verified=part.phone_verified,
                language=part.language,
                time_zone=part.time_zone,
                password=password,
                password_hash=part.password_hash,
            ),
        )

    def known_user(self, user: User, part: UserPart, path: str) -> None:
        """Bring the profile in line with what the file names; never the password."""
        profile = part.model_dump(include={"name", "language", "time_zone"}, exclude_none=True)
        if profile:
            at_place(path, partial(change_profile, self.actor, user_id=user.pk, **profile))
        if part.email and part.email.strip().casefold() != (user.email or ""):
            email = part.email
            at_place(
                path,
                partial(change_email, self.actor, user_id=user.pk, email=email, verified=part.email_verified),
            )
        elif user.email and part.email_verified and not user.email_verified:
            at_place(path, partial(confirm_email, self.actor, user_id=user.pk, email=user.email or ""))
        names = part.model_dump(include={"username", "phone"}, exclude_none=True)
        if names:
            at_place(path, partial(change_identifiers, self.actor, user_id=user.pk, **names))

    def user_roles(self, user: User, part: UserPart, path: str) -> None:
        """Assign what is named; with prune, take away the rest of a kind that the file names."""
        for kind, named in ((RoleKind.APPLICATION, part.roles), (RoleKind.CONSOLE, part.console_roles)):
            if named is None:
                continue
            section = "roles" if kind == RoleKind.APPLICATION else "console_roles"
            wanted = [self.role(kind, name, f"{path}.{section}[{at}]") for at, name in enumerate(named)]
            held = {role.pk for role in roles_of_user(user.pk, kind)}
            for role in wanted:
                if role.pk not in held:
                    at_place(
                        f"{path}.{section}",
                        partial(assign_role, self.actor, user_id=user.pk, role_id=role.pk),
                    )
            if self.prune:
                for role_id in held - {role.pk for role in wanted}:
                    at_place(
                        f"{path}.{section}",
                        partial(unassign_role, self.actor, user_id=user.pk, role_id=role_id),
                    )

    def role(self, kind: str, named: str | ApplicationRole, path: str) -> Role:
        """The role that a person is to hold. Raises RealmFileInvalid."""
        if isinstance(named, ApplicationRole):
            application = self.application(named.application, f"{path}.application")
            role = find_role(kind, named.role, application.pk if application else None)
        else:
            role = find_role(kind, named)
        if role is None:
            raise RealmFileInvalid([(path, _("There is no such role: %(name)s.") % {"name": named})])
        return role

    def signing_keys(self) -> None:
        """Keys of an export with secrets, opened with its passphrase."""
        for at, part in enumerate(self.document.signing_keys or []):
            path = f"signing_keys[{at}]"
            private = at_place(path, partial(open_key, part, self.environment.get(PASSPHRASE, "")))
            at_place(
                path,
                partial(import_signing_key, self.actor, private=private, alg=part.alg, status=part.status),
            )
