"""Applications, their redirect URIs and secrets; scopes and the resource servers that own them."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_id
from oauth2_provider.models import AbstractApplication

from identity.kernel.ids import uuid7
from identity.kernel.states import Stated
from identity.kernel.tenancy import RealmManager, RealmOwned


class ApplicationType(models.TextChoices):
    """What kind of program it is; decides which grants and client authentication fit (RFC 6749, 2.1; RFC 8252)."""

    WEB = "web"
    SPA = "spa"
    NATIVE = "native"
    SERVICE = "service"


class ApplicationStatus(models.TextChoices):
    """`deleted` keeps the row for undo and for what the audit trail refers to."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


class UriKind(models.TextChoices):
    """What a registered URI is for."""

    REDIRECT = "redirect"
    POST_LOGOUT = "post_logout"
    ORIGIN = "origin"


class AuthMethod(models.TextChoices):
    """Client authentication at the token endpoint (OpenID Connect Core 1.0, section 9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"


class ApplicationManager(RealmManager["Application"]):
    """Realm-scoped; natural keys are client ids."""

    def get_by_natural_key(self, client_id: str) -> "Application":
        """The application with this client id in the realm of the moment."""
        return self.get(client_id=client_id)


def default_grant_types() -> list[str]:
    """What a new application may use unless told otherwise. Migrations freeze this path."""
    return ["authorization_code", "refresh_token"]


class Application(RealmOwned, Stated, AbstractApplication):
    """A client (RFC 6749, section 2) of one realm; `client_id` is unique in its realm only.

    DOT keeps redirect URIs, one grant type and one secret in columns of its own; ours are rows and a list
    (DECISIONS 6). The inherited columns stay empty and are answered from ours.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client_id = models.CharField(max_length=255, default=generate_client_id)
    type = models.CharField(max_length=10, default=ApplicationType.WEB)
    description = models.CharField(max_length=300, blank=True, default="")
    grant_types = models.JSONField(default=default_grant_types)
    token_endpoint_auth_method = models.CharField(max_length=24, default=AuthMethod.BASIC)
    scopes = models.JSONField(default=list)
    first_party = models.BooleanField(default=False)
    skip_consent = models.BooleanField(default=False)
    acts_for = models.ForeignKey(
        "identity.ResourceServer", null=True, on_delete=models.SET_NULL, related_name="applications"
    )
    """The API that this client is: it may introspect whatever tokens are for that API (RFC 7662, 2)."""
    publisher = models.CharField(max_length=200, blank=True, default="")
    homepage_uri = models.CharField(max_length=500, blank=True, default="")
    privacy_uri = models.CharField(max_length=500, blank=True, default="")
    terms_uri = models.CharField(max_length=500, blank=True, default="")
    last_used_at = models.DateTimeField(null=True)
    required_acr = models.CharField(max_length=60, blank=True, default="")
    """The least authentication context class that its people sign in with; empty: the realm's policy alone."""
    version = models.PositiveIntegerField(default=1)
    authorization_grant_type = models.CharField(
        max_length=44, choices=AbstractApplication.GRANT_TYPES, default="authorization-code", editable=False
    )
    client_secret = models.CharField(max_length=255, blank=True, default="", editable=False)
    algorithm = models.CharField(max_length=16, blank=True, default="", editable=False)
    created = models.DateTimeField()
    updated = models.DateTimeField()

    objects = ApplicationManager()  # type: ignore[misc]
    all_realms = models.Manager()

    class Meta(AbstractApplication.Meta):
        constraints = [
            models.UniqueConstraint(fields=["realm", "client_id"], name="application_client_id_in_realm"),
            models.CheckConstraint(condition=Q(status__in=ApplicationStatus.values), name="application_status_known"),
            models.CheckConstraint(
                condition=Q(skip_consent=False) | Q(first_party=True),
                name="application_skip_needs_first_party",
            ),
        ]
        indexes = [models.Index(fields=["realm", "status", "id"], name="application_by_status")]

    def __str__(self) -> str:
        return self.name or self.client_id

    @property
    def is_active(self) -> bool:
        """Whether it may be used at all. Asked through `gate` everywhere."""
        return self.status == ApplicationStatus.ACTIVE

    @property
    def is_confidential(self) -> bool:
        """Whether it can keep a secret (RFC 6749, 2.1)."""
        return self.client_type == AbstractApplication.CLIENT_CONFIDENTIAL

    def allows_grant_type(self, *grant_types: str) -> bool:
        """DOT asks with its own spellings (`authorization-code`); the list holds the RFC's (`authorization_code`)."""
        return any(grant_type.replace("-", "_") in self.grant_types for grant_type in grant_types)

    def clean(self) -> None:
        """DOT's own rules (one grant, a global RSA key) don't hold here; ours stand in `applications.rules`."""

    def get_absolute_url(self) -> str:
        """DOT reverses its management pages, which are not mounted; the console links by itself."""
        return ""

    def is_usable(self, request: Any) -> bool:
        """DOT's hook; the endpoints ask `gate` as well."""
        return self.is_active


class RedirectUri(RealmOwned):
    """One registered URI, compared as an exact string (RFC 9700, 4.1.3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="uris")
    kind = models.CharField(max_length=12, default=UriKind.REDIRECT)
    uri = models.CharField(max_length=2000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "application", "kind", "uri"], name="redirect_uri_once")
        ]

    def __str__(self) -> str:
        return self.uri


class ClientSecret(RealmOwned):
    """A generated secret, kept as a keyed hash; two may overlap while one is being replaced."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="secrets")
    digest = models.BinaryField(max_length=33)
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "application", "digest"], name="client_secret_once")]

    def __str__(self) -> str:
        return f"…{self.hint}"


class ResourceServer(RealmOwned):
    """An API that accepts our access tokens; its identifier is their audience (RFC 8707, RFC 9068)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    identifier = models.CharField(max_length=500)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "identifier"], name="resource_server_in_realm")]

    def __str__(self) -> str:
        return self.name


class Scope(RealmOwned):
    """A scope value (RFC 6749, 3.3) of the realm; those of a resource server decide the token's audience."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=300, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    resource_server = models.ForeignKey(
        ResourceServer, null=True, blank=True, on_delete=models.CASCADE, related_name="scopes"
    )
    built_in = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "name"], name="scope_in_realm")]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_title(self) -> str:
        """What people call it; our own scopes in the reader's language."""
        return _(self.title) if self.built_in and self.title else self.title

    @property
    def shown_description(self) -> str:
        """One more sentence, likewise."""
        return _(self.description) if self.built_in and self.description else self.description


__all__ = ["Application", "ClientSecret", "RedirectUri", "ResourceServer", "Scope"]
