"""Applying a realm file: the rooms' commands, in one transaction, as the system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from identity.access.commands import (
    assign_role,
    change_role,
    create_role,
    delete_role,
    ensure_built_in_roles,
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
    delete_user,
)
from identity.accounts.models import User
from identity.applications.commands import (
    add_secret,
    change_application,
    change_resource_server,
    change_scope,
    create_resource_server,
    create_scope,
    delete_application,
    delete_resource_server,
    delete_scope,
    ensure_built_in_scopes,
    register_application,
)
from identity.applications.models import Application, ApplicationStatus, ResourceServer, Scope
from identity.applications.queries import get_application_by_client_id, verify_secret
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied, RealmkeepError
from identity.oauth.commands import ensure_signing_keys, import_signing_key
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.keys import PASSPHRASE, open_key
from identity.realmfiles.queries import export_realm
from identity.realmfiles.rules import differences
from identity.realmfiles.schema import (
    ApplicationPart,
    ApplicationRole,
    EnvReference,
    RealmFile,
    RolePart,
    ScopePart,
    UserPart,
)
from identity.realms.commands import change_realm_branding, change_realm_settings, create_realm
from identity.realms.models import Realm

Environment = Mapping[str, str]


@dataclass(slots=True)
class Applied:
    """What applying a file did: a line for each difference, and generated secrets (client_id → text), shown once."""

    realm: Realm
    diff: list[str]
    secrets: dict[str, str] = field(default_factory=dict)


class _DryRun(Exception):
    """Rolls the transaction back once the differences are known."""


def apply_realm_file(
    actor: Actor,
    *,
    document: RealmFile,
    environment: Environment,
    prune: bool = False,
    dry_run: bool = False,
) -> Applied:
    """Create or change a realm as the file says: all of it or nothing (DECISIONS 28).

    Matches by slug, client_id, role name and a user's key; changes only what the file names; deletes only with
    `prune`, and only in sections that the file has; passwords count only when a person is created. dry_run leaves
    nothing behind. Raises PermissionDenied unless the system acts, RealmFileInvalid with the path of the first
    problem. Says what the commands say.
    """
    if actor.kind != "system":
        raise PermissionDenied
    out: list[Applied] = []
    try:
        with transaction.atomic():
            out.append(_apply(document, environment, prune))
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return out[0]


def _apply(document: RealmFile, environment: Environment, prune: bool) -> Applied:
    part = document.realm
    realm = Realm.objects.filter(slug=part.slug).first()
    before: dict[str, Any] = {}
    if realm is None:
        realm = _at(
            "realm",
            lambda: create_realm(
                system_actor(uuid4()),
                slug=part.slug,
                name=part.name or part.slug,
                settings=part.settings,
                branding=part.branding,
            ),
        )
        with realm_scope(realm):
            system = system_actor(realm.pk)
            ensure_built_in_roles(system)
            ensure_built_in_scopes(system)
            ensure_signing_keys(system)
    else:
        with realm_scope(realm):
            system = system_actor(realm.pk)
            before = export_realm(system)
            if part.settings:
                _at("realm.settings", lambda: change_realm_settings(system, changes=part.settings or {}))
            if part.name or part.branding:
                _at("realm", lambda: change_realm_branding(system, name=part.name, branding=part.branding))
    with realm_scope(realm):
        system = system_actor(realm.pk)
        secrets = _Pass(system, document, environment, prune).run()
        realm = Realm.objects.get(pk=realm.pk)
        return Applied(realm, differences(before, export_realm(system)), secrets)


def _at[T](path: str, act: Callable[[], T]) -> T:
    """Do something for one place in the file; a refusal names that place and the field in it."""
    try:
        return act()
    except RealmFileInvalid:
        raise
    except RealmkeepError as error:
        where = f"{path}.{error.field}" if error.field else path
        raise RealmFileInvalid([(where, str(error.message))]) from error


@dataclass(slots=True)
class _Pass:
    """One pass over a file, inside its realm."""

    actor: Actor
    document: RealmFile
    environment: Environment
    prune: bool
    secrets: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, str]:
        """In the order of what refers to what; pruning the other way round. Returns generated secrets."""
        self.resource_servers()
        self.scopes()
        self.applications()
        self.roles()
        self.users()
        self.signing_keys()
        if self.prune:
            self.prune_all()
        return self.secrets

    def value(self, reference: EnvReference, path: str) -> str:
        """The variable's value. Raises RealmFileInvalid when it is not set."""
        value = self.environment.get(reference.env, "")
        if not value:
            raise RealmFileInvalid([(f"{path}.env", f"The environment variable {reference.env} is not set.")])
        return value

    def resource_servers(self) -> None:
        """APIs and their scopes."""
        for at, part in enumerate(self.document.resource_servers or []):
            path = f"resource_servers[{at}]"
            server = ResourceServer.objects.filter(identifier=part.identifier).first()
            if server is None:
                server = _at(
                    path, lambda p=part: create_resource_server(self.actor, identifier=p.identifier, name=p.name)
                )
            else:
                _at(
                    path,
                    lambda p=part, s=server: change_resource_server(self.actor, resource_server_id=s.pk, name=p.name),
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
            _at(
                path,
                lambda: create_scope(
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
            raise RealmFileInvalid([(f"{path}.name", "This scope belongs to another API.")])
        _at(
            path,
            lambda: change_scope(
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
                self.new_application(part, path, given)
                continue
            fields = part.model_dump(exclude={"client_id", "secret"}, exclude_none=True)
            _at(path, lambda a=application, f=fields: change_application(self.actor, application_id=a.pk, **f))
            if given and verify_secret(application, given) is None:
                _at(
                    f"{path}.secret",
                    lambda a=application, g=given: add_secret(self.actor, application_id=a.pk, secret=g),
                )

    def new_application(self, part: ApplicationPart, path: str, given: str | None) -> None:
        """Register one."""
        fields = part.model_dump(exclude={"secret"}, exclude_none=True)
        fields.setdefault("type", "web")
        fields.setdefault("name", part.client_id)
        _, secret = _at(path, lambda: register_application(self.actor, secret=given, **fields))
        if secret and given is None:
            self.secrets[part.client_id] = secret

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
                _at(path, lambda r=role, c=changes: change_role(self.actor, role_id=r.pk, **c))

    def new_role(self, part: RolePart, path: str, application: Application | None) -> None:
        """Create one."""
        _at(
            path,
            lambda: create_role(
                self.actor,
                name=part.name,
                kind=part.kind,
                description=part.description or "",
                permissions=part.permissions or [],
                application_id=application.pk if application else None,
            ),
        )

    def application(self, client_id: str | None, path: str) -> Application | None:
        """The application that a part refers to. Raises RealmFileInvalid."""
        if client_id is None:
            return None
        application = get_application_by_client_id(client_id)
        if application is None:
            raise RealmFileInvalid([(path, f"There is no application {client_id}.")])
        return application

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
        return _at(
            path,
            lambda: create_user(
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
            _at(path, lambda: change_profile(self.actor, user_id=user.pk, **profile))
        if part.email and part.email.strip().casefold() != (user.email or ""):
            email = part.email
            _at(
                path,
                lambda: change_email(self.actor, user_id=user.pk, email=email, verified=part.email_verified),
            )
        elif user.email and part.email_verified and not user.email_verified:
            _at(path, lambda: confirm_email(self.actor, user_id=user.pk, email=user.email or ""))
        names = part.model_dump(include={"username", "phone"}, exclude_none=True)
        if names:
            _at(path, lambda: change_identifiers(self.actor, user_id=user.pk, **names))

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
                    _at(
                        f"{path}.{section}",
                        lambda r=role: assign_role(self.actor, user_id=user.pk, role_id=r.pk),
                    )
            if self.prune:
                for role_id in held - {role.pk for role in wanted}:
                    _at(
                        f"{path}.{section}",
                        lambda r=role_id: unassign_role(self.actor, user_id=user.pk, role_id=r),
                    )

    def role(self, kind: str, named: str | ApplicationRole, path: str) -> Role:
        """The role that a person is to hold. Raises RealmFileInvalid."""
        if isinstance(named, ApplicationRole):
            application = self.application(named.application, f"{path}.application")
            role = find_role(kind, named.role, application.pk if application else None)
        else:
            role = find_role(kind, named)
        if role is None:
            raise RealmFileInvalid([(path, f"There is no such role: {named}.")])
        return role

    def signing_keys(self) -> None:
        """Keys of an export with secrets, opened with its passphrase."""
        for at, part in enumerate(self.document.signing_keys or []):
            path = f"signing_keys[{at}]"
            private = _at(path, lambda p=part: open_key(p, self.environment.get(PASSPHRASE, "")))
            _at(
                path,
                lambda p=part, k=private: import_signing_key(self.actor, private=k, alg=p.alg, status=p.status),
            )

    def prune_all(self) -> None:
        """Delete what the file's sections don't name. Sections that it lacks stay untouched."""
        document = self.document
        if document.users is not None:
            kept = {part.match for part in document.users}
            for user in User.objects.exclude(key__in=kept):
                if (user.key or user.email or user.username or user.phone) not in kept:
                    _at("users", lambda u=user: delete_user(self.actor, user_id=u.pk))
        if document.roles is not None:
            named = {(p.kind, p.application, p.name.lower()) for p in document.roles}
            for role in Role.objects.filter(built_in=False).select_related("application"):
                client_id = role.application.client_id if role.application else None
                if (role.kind, client_id, role.name.lower()) not in named:
                    _at("roles", lambda r=role: delete_role(self.actor, role_id=r.pk))
        if document.applications is not None:
            ids = {part.client_id for part in document.applications}
            for app in Application.objects.exclude(client_id__in=ids).exclude(status=ApplicationStatus.DELETED):
                _at("applications", lambda a=app: delete_application(self.actor, application_id=a.pk))
        self.prune_scopes()

    def prune_scopes(self) -> None:
        """Scopes and APIs that the file doesn't name."""
        document = self.document
        if document.resource_servers is not None:
            identifiers = {part.identifier for part in document.resource_servers}
            for server in ResourceServer.objects.exclude(identifier__in=identifiers):
                _at("resource_servers", lambda s=server: delete_resource_server(self.actor, resource_server_id=s.pk))
            for part in document.resource_servers:
                names = {scope.name for scope in part.scopes}
                for scope in Scope.objects.filter(resource_server__identifier=part.identifier).exclude(name__in=names):
                    _at("resource_servers", lambda s=scope: delete_scope(self.actor, scope_id=s.pk))
        if document.scopes is not None:
            names = {scope.name for scope in document.scopes}
            for scope in Scope.objects.filter(resource_server=None, built_in=False).exclude(name__in=names):
                _at("scopes", lambda s=scope: delete_scope(self.actor, scope_id=s.pk))
