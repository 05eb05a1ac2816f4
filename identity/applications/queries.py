"""Reads of applications, secrets, scopes and resource servers. The first argument says who asks, or the row is ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.db.models import Prefetch, Q, QuerySet

from identity.applications.models import (
    Application,
    ApplicationStatus,
    ClientSecret,
    RedirectUri,
    ResourceServer,
    Scope,
    UriKind,
)
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import NoRealm, current_realm_id
from identity.kernel.crypto import keyed_hashes
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission

SECRET_LABEL = "client-secret"


def get_application(
    actor: Actor, *, application_id: UUID, permission: Permission = Permission.APPLICATIONS_READ
) -> Application:
    """An application that is not deleted, for one who holds `permission` on the realm or on it.

    Raises NotFound also where the permission is held nowhere near it: not yours and not there look the same.
    """
    application = Application.objects.filter(pk=application_id).exclude(status=ApplicationStatus.DELETED).first()
    if application is None:
        raise NotFound
    if not actor.can(Permission.APPLICATIONS_READ, ("application", application.pk)):
        if not actor.can_somewhere(Permission.APPLICATIONS_READ):
            actor.require(Permission.APPLICATIONS_READ)
        raise NotFound
    actor.require(permission, ("application", application.pk))
    return application


def get_application_by_client_id(client_id: str) -> Application | None:
    """The realm's application with this client id, in whatever state; the endpoints ask `gate` about it."""
    return Application.objects.filter(client_id=client_id).exclude(status=ApplicationStatus.DELETED).first()


def find_applications(actor: Actor, *, search: str = "", status: str = "", type_: str = "") -> QuerySet[Application]:
    """Applications that the actor may see, newest first. Raises PermissionDenied."""
    rows = Application.objects.exclude(status=ApplicationStatus.DELETED).order_by("-id")
    scopes = actor.scopes_of(Permission.APPLICATIONS_READ, "application")
    if scopes is not None:
        if not scopes:
            actor.require(Permission.APPLICATIONS_READ)
        rows = rows.filter(pk__in=scopes)
    if status:
        rows = rows.filter(status=status)
    if type_:
        rows = rows.filter(type=type_)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(client_id__istartswith=search))
    return rows


def uris_of(application: Application, kind: str = UriKind.REDIRECT) -> list[str]:
    """Its registered URIs of one kind, oldest first."""
    return list(
        RedirectUri.objects.filter(application=application, kind=kind).order_by("id").values_list("uri", flat=True)
    )


def secrets_of(actor: Actor, *, application_id: UUID) -> list[ClientSecret]:
    """Its secrets that still count (hints and dates only), newest first. Raises NotFound, PermissionDenied."""
    application = get_application(actor, application_id=application_id)
    return list(ClientSecret.objects.filter(application=application, revoked_at=None).order_by("-id"))


def verify_secret(application: Application, text: str) -> ClientSecret | None:
    """The live secret that `text` is, or None. By keyed hash: our secrets are random, so one HMAC is enough.

    An empty text never verifies, whatever is stored: a public client must not pass as a confidential one.
    """
    realm_id = current_realm_id()
    if realm_id is None:
        raise NoRealm("A client secret was verified without a realm.")
    if not text:
        return None
    now = clock.now()
    return ClientSecret.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        application=application,
        digest__in=keyed_hashes(SECRET_LABEL, realm_id, text),
        revoked_at=None,
    ).first()


def realm_scopes() -> list[Scope]:
    """All scopes of the realm, built-in ones first."""
    return list(Scope.objects.select_related("resource_server").order_by("-built_in", "name"))


def resource_servers(actor: Actor) -> list[ResourceServer]:
    """The realm's APIs, each with those acting for it that the actor may see. Raises PermissionDenied."""
    mine = actor.scopes_of(Permission.APPLICATIONS_READ, "application")
    acting = Application.objects.exclude(status=ApplicationStatus.DELETED).order_by("name", "id")
    if mine is not None:
        if not mine:
            actor.require(Permission.APPLICATIONS_READ)
        acting = acting.filter(pk__in=mine)
    rows = ResourceServer.objects.prefetch_related("scopes", Prefetch("applications", queryset=acting))
    return list(rows.order_by("name"))


def may_act_for(actor: Actor, *, resource_server_id: UUID) -> list[Application]:
    """Applications that keep a secret and act for no API yet. Raises PermissionDenied, NotFound."""
    actor.require(Permission.APPLICATIONS_WRITE)
    get_resource_server(actor, resource_server_id=resource_server_id)
    rows = Application.objects.filter(client_type=Application.CLIENT_CONFIDENTIAL, acts_for=None)
    return list(rows.exclude(status=ApplicationStatus.DELETED).order_by("name", "id"))


def audiences_of(scopes: Iterable[str]) -> list[str]:
    """Identifiers of the resource servers of these scopes, sorted; empty if none belongs to one (DECISIONS 18)."""
    names = list(scopes)
    if not names:
        return []
    return sorted(
        set(
            Scope.objects.filter(name__in=names, resource_server__isnull=False).values_list(
                "resource_server__identifier", flat=True
            )
        )
    )


def application_count() -> int:
    """How many applications of the realm are active."""
    return Application.objects.filter(status=ApplicationStatus.ACTIVE).count()


@dataclass(frozen=True, slots=True)
class Impact:
    """What ending an application takes away: counted exactly when a dialog opens (DECISIONS 27)."""

    people: int
    sessions: int
    consents: int
    families: int
    secrets: int


def impact_of(actor: Actor, *, application_id: UUID) -> Impact:
    """How many people are signed in to it, and what they and it would lose. Raises NotFound, PermissionDenied.

    Sessions, consents and refresh families belong to rooms above: they are named by model, as DECISIONS' floors allow.
    """
    application = get_application(actor, application_id=application_id)
    uses = apps.get_model("identity", "SessionApplication").objects.filter(
        application=application, session__status="active", session__expires_at__gt=clock.now()
    )
    families = apps.get_model("identity", "RefreshFamily").objects.filter(
        application=application, status="active", expires_at__gt=clock.now()
    )
    return Impact(
        people=uses.values("session__user_id").distinct().count(),
        sessions=uses.values("session_id").distinct().count(),
        consents=apps.get_model("identity", "Consent")
        .objects.filter(application=application, withdrawn_at=None)
        .count(),
        families=families.count(),
        secrets=ClientSecret.objects.filter(application=application, revoked_at=None).count(),
    )


def people_served(application: Application) -> int:
    """How many people let it use something, ever still in force."""
    consents = apps.get_model("identity", "Consent").objects.filter(application=application, withdrawn_at=None)
    return int(consents.values("user_id").distinct().count())


def get_resource_server(actor: Actor, *, resource_server_id: UUID) -> ResourceServer:
    """One API with its scopes. Raises PermissionDenied, NotFound."""
    if not actor.can_somewhere(Permission.APPLICATIONS_READ):
        actor.require(Permission.APPLICATIONS_READ)
    server = ResourceServer.objects.prefetch_related("scopes").filter(pk=resource_server_id).first()
    if server is None:
        raise NotFound
    return server


def get_scope(actor: Actor, *, scope_id: UUID) -> Scope:
    """One scope. Raises PermissionDenied, NotFound."""
    if not actor.can_somewhere(Permission.APPLICATIONS_READ):
        actor.require(Permission.APPLICATIONS_READ)
    scope = Scope.objects.filter(pk=scope_id).first()
    if scope is None:
        raise NotFound
    return scope


def scope_use(names: Iterable[str]) -> int:
    """How many applications of the realm may ask for one of these scopes."""
    wanted = set(names)
    rows = Application.objects.exclude(status=ApplicationStatus.DELETED).values_list("scopes", flat=True)
    return sum(1 for scopes in rows if wanted & set(scopes))
