"""The shape of a realm file; its JSON Schema is published in docs/realm-file.schema.json."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=500)]
GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]


class Part(BaseModel):
    """Base of all parts: an unknown name is an error, since a typing mistake must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RealmPart(Part):
    """The realm itself."""

    slug: Text = Field(description="Matches the realm. Never renamed.")
    name: Text | None = None
    settings: dict[str, bool | int | str | list[str]] | None = Field(
        None, description="Settings by name; lifetimes in seconds."
    )
    branding: dict[str, str] | None = Field(None, description="accent (#rrggbb) and logo_text (two characters).")


class ScopePart(Part):
    """A scope value and how it is explained to people."""

    name: Text
    title: Text | None = None
    description: Text | None = None
    sensitive: bool | None = None


class ResourceServerPart(Part):
    """An API; its identifier is the audience of tokens for it."""

    identifier: Text
    name: Text
    scopes: list[ScopePart] = []


class EnvReference(Part):
    """A value that stands in an environment variable, never in the file."""

    env: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class ManagerPart(Part):
    """What one person may do on one application or organization alone."""

    user: Text = Field(description="The person's key; the email, username or phone if there is none.")
    permissions: list[str]


class ApplicationPart(Part):
    """A client application."""

    client_id: Text = Field(description="Matches the application.")
    name: Text | None = None
    type: Literal["web", "spa", "native", "service"] | None = None
    description: Text | None = None
    publisher: Text | None = None
    homepage_uri: Text | None = None
    privacy_uri: Text | None = None
    terms_uri: Text | None = None
    secret: EnvReference | None = Field(
        None, description="32 characters or more; without it one is generated and printed once."
    )
    redirect_uris: list[str] | None = None
    post_logout_redirect_uris: list[str] | None = None
    allowed_origins: list[str] | None = None
    grant_types: list[GrantType] | None = None
    scopes: list[str] | None = None
    acts_for: Text | None = Field(
        None, description="identifier of the API that it is: it may introspect the tokens that are for it."
    )
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post", "none"] | None = None
    first_party: bool | None = None
    skip_consent: bool | None = None
    managers: list[ManagerPart] | None = None
    required_acr: Literal["", "urn:realmkeep:acr:2", "urn:realmkeep:acr:3"] | None = Field(
        None, description="What each sign-in to it must have reached: two factors, or two with a passkey among them."
    )


class RolePart(Part):
    """A console role (holds permissions) or an application role (a name in tokens)."""

    name: Text = Field(description="Matches the role, together with kind and application.")
    kind: Literal["console", "application"] = "application"
    application: Text | None = Field(None, description="client_id of the one application that it belongs to.")
    description: Text | None = None
    permissions: list[str] | None = None
    requirements: list[Literal["verified_email", "verified_phone", "second_factor"]] | None = Field(
        None, description="What a holder must have shown for the role to count; also of built-in roles."
    )


class ApplicationRole(Part):
    """A role of one application."""

    application: Text
    role: Text


class AttributePart(Part):
    """A custom attribute of people; in the order of their fields."""

    name: Text = Field(description="Matches the attribute. Never renamed.")
    label: Text
    type: Literal["text", "number", "boolean", "date", "choice"] = Field("text", description="Never changes.")
    choices: list[str] | None = Field(None, description="Of a choice.")
    pattern: Text | None = Field(None, description="What a text must match as a whole; counts, but no groups.")
    most: int | None = Field(None, description="The longest text.")
    required: bool | None = None
    at_sign_up: bool | None = None
    person_may_see: bool | None = None
    person_may_change: bool | None = None
    claim: Text | None = Field(None, description="What tokens and userinfo call it; with scope.")
    scope: Text | None = Field(None, description="The scope that releases the claim.")


class UserPart(Part):
    """A person."""

    key: Text | None = Field(None, description="Matches the person; the email, username or phone if absent.")
    email: Text | None = None
    username: Text | None = None
    phone: Text | None = None
    name: Text | None = None
    email_verified: bool = False
    phone_verified: bool = False
    language: Text | None = None
    time_zone: Text | None = None
    password: Text | EnvReference | None = Field(None, description="Set only when the person is created.")
    password_hash: Text | None = Field(
        None,
        description="An argon2id, PBKDF2, bcrypt or scrypt hash, of an export or of another product; set only when the "
        "person is created, and replaced at the first sign-in.",
    )
    roles: list[str | ApplicationRole] | None = Field(None, description="Application roles.")
    console_roles: list[str] | None = None
    attributes: dict[str, bool | int | float | str] | None = Field(None, description="Custom attributes by name.")

    @property
    def match(self) -> str:
        """What the person is matched by."""
        return self.key or self.email or self.username or self.phone or ""


class OrganizationPart(Part):
    """A group of people with a name."""

    slug: Text = Field(description="Matches the organization. Never renamed.")
    name: Text | None = None
    members: list[Text] | None = Field(None, description="Keys of people.")
    managers: list[ManagerPart] | None = None


class ProviderPart(Part):
    """An identity provider: somebody else who signs people in."""

    alias: Text = Field(description="Matches the provider. Its name in links, never renamed.")
    name: Text | None = None
    kind: Literal["google", "github", "microsoft", "apple", "oidc", "oauth2"] | None = None
    client_id: Text | None = None
    secret: EnvReference | None = Field(None, description="The client secret, or Apple's private key in PEM.")
    settings: dict[str, bool | str] | None = Field(
        None,
        description="What the kind needs: issuer; tenant; team_id and key_id; authorization_endpoint, token_endpoint, "
        "userinfo_endpoint and subject_claim. Also base_url, hosted_domain, token_auth, trust_email.",
    )
    scopes: list[str] | None = None
    attribute_mapping: dict[str, str] | None = Field(
        None, description="A profile field, or attributes.<name>, to the claim that it is taken from."
    )
    amr_mapping: dict[str, str] | None = Field(
        None, description="What its amr or acr says, to what it counts as: pwd, otp, sms, hwk, swk or mfa."
    )
    domains: list[str] | None = Field(None, description="Email domains whose people are sent there.")
    sign_up: Literal["link", "create", "approve"] | None = None
    enabled: bool | None = None


class SmsProviderPart(Part):
    """Who carries text messages; the first in the file is tried first."""

    name: Text = Field(description="Matches the provider.")
    kind: Literal["twilio", "twilio_verify", "http", "sns"] = Field(description="Never changes.")
    settings: dict[str, int | str | list[str] | dict[str, str]] | None = Field(
        None, description="All that is not secret, by the kind's names."
    )
    secrets: dict[str, EnvReference] | None = Field(
        None, description="auth_token, secret_access_key, or a gateway's secret."
    )
    enabled: bool | None = None


class SigningKeyPart(Part):
    """A signing key, sealed with the passphrase of the export."""

    kid: Text
    alg: Literal["ES256", "RS256"]
    status: Literal["active", "retiring"]
    sealed: str


class RealmFile(Part):
    """A realm file. What it does not name stays as it is."""

    version: Literal[1] = 1
    realm: RealmPart
    resource_servers: list[ResourceServerPart] | None = None
    scopes: list[ScopePart] | None = None
    applications: list[ApplicationPart] | None = None
    roles: list[RolePart] | None = None
    attributes: list[AttributePart] | None = None
    users: list[UserPart] | None = None
    organizations: list[OrganizationPart] | None = None
    providers: list[ProviderPart] | None = Field(None, description="In the order of their buttons.")
    sms_providers: list[SmsProviderPart] | None = None
    signing_keys: list[SigningKeyPart] | None = None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of realm files (draft 2020-12)."""
    schema = RealmFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Realmkeep realm file"}
