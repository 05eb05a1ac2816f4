"""Discovery (OpenID Connect Discovery 1.0, RFC 8414): one document for both; it says only what is done."""

from typing import Any

from identity.applications.models import AuthMethod
from identity.kernel.naming import issuer_of
from identity.oauth import paths, rules
from identity.oauth.claims import SUPPORTED
from identity.oauth.queries.published import published
from identity.oauth.views.token import GRANTS
from identity.oauth.wire import Request, Response, json_response
from identity.sessions.rules import ACRS

HEADERS = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


def handle(request: Request) -> Response:
    """The document. Anybody may read it."""
    return json_response(document(request), headers=HEADERS)


def document(request: Request) -> dict[str, Any]:
    """The realm's metadata. The issuer is the configured one, whatever Host the request came to (DECISIONS 14).

    Raises StaleRealm.
    """
    issuer, found = issuer_of(request.realm), published(request.realm)
    with_secret = [str(AuthMethod.BASIC), str(AuthMethod.POST)]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/{paths.AUTHORIZE}",
        "token_endpoint": f"{issuer}/{paths.TOKEN}",
        "userinfo_endpoint": f"{issuer}/{paths.USERINFO}",
        "jwks_uri": f"{issuer}/{paths.JWKS}",
        "introspection_endpoint": f"{issuer}/{paths.INTROSPECT}",
        "revocation_endpoint": f"{issuer}/{paths.REVOKE}",
        "end_session_endpoint": f"{issuer}/{paths.LOGOUT}",
        "scopes_supported": list(found.scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": sorted({str(key["alg"]) for key in found.keys}),
        "token_endpoint_auth_methods_supported": [*with_secret, str(AuthMethod.NONE)],
        "revocation_endpoint_auth_methods_supported": [*with_secret, str(AuthMethod.NONE)],
        "introspection_endpoint_auth_methods_supported": with_secret,
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [*SUPPORTED, *found.claims],
        "acr_values_supported": list(ACRS),
        "prompt_values_supported": list(rules.PROMPTS),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
