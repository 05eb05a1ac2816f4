"""Two realms that are the same in everything but their keys: the same people, client ids and secrets."""

import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"
REDIRECT_URI = "https://rp.example/callback"
AUDIENCE = "https://api.example/orders"
SCOPE = "openid profile email orders.read"

# One set of secrets for both realms, and one client whose secret differs: what is the same must not open the other.
SECRETS = {
    "WEB_SECRET": secrets.token_urlsafe(32),
    "SERVICE_SECRET": secrets.token_urlsafe(32),
    "STOREFRONT_SECRET": secrets.token_urlsafe(32),
    "ONLY_A_SECRET": secrets.token_urlsafe(32),
    "DIFFERS_A_SECRET": secrets.token_urlsafe(32),
    "DIFFERS_B_SECRET": secrets.token_urlsafe(32),
}


@dataclass(frozen=True)
class RealmUnderTest:
    """One of the two, as its clients see it."""

    slug: str
    origin: str

    @property
    def issuer(self) -> str:
        """Its issuer."""
        return f"{self.origin}/realms/{self.slug}"

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Its discovery document."""
        return httpx.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status().json()

    def keys(self) -> dict[str, Any]:
        """Its public keys."""
        return httpx.get(self.metadata["jwks_uri"]).raise_for_status().json()


def realm_file(slug: str, storefront_url: str) -> dict[str, Any]:
    """Return the realm file of `a` or `b`."""
    web = {"type": "web", "grant_types": ["authorization_code", "refresh_token"], "scopes": SCOPE.split()}
    service = {"type": "service", "grant_types": ["client_credentials"], "scopes": ["orders.read"]}
    applications = [
        {"client_id": "web", "name": "Web", "secret": "WEB", "redirect_uris": [REDIRECT_URI], **web},
        {
            "client_id": "storefront-web",
            "name": "Storefront",
            "secret": "STOREFRONT",
            "redirect_uris": [f"{storefront_url}/callback"],
            "post_logout_redirect_uris": [f"{storefront_url}/"],
            **web,
        },
        {"client_id": "service", "name": "Service", "secret": "SERVICE", **service},
        {"client_id": "differs", "name": "Differs", "secret": f"DIFFERS_{slug.upper()}", **service},
    ]
    if slug == "a":
        applications.append({"client_id": "only-a", "name": "Only a", "secret": "ONLY_A", **service})
    return {
        "realm": {"slug": slug, "name": f"Realm {slug}"},
        "resource_servers": [
            {"identifier": AUDIENCE, "name": "Orders", "scopes": [{"name": "orders.read", "title": "Read orders"}]}
        ],
        "applications": [
            {**application, "secret": {"env": f"{application['secret']}_SECRET"}} for application in applications
        ],
        "users": [
            {"key": "ada", "email": EMAIL, "email_verified": True, "name": f"Ada of {slug}", "password": PASSWORD}
        ],
    }
