"""django-oauth-toolkit's authorization checks on our clients: what its view asks, answered from our rows.

The only module that knows oauthlib. Its server has the code flow alone: neither implicit, hybrid nor password exists
here, so no setting can bring them back (OA-10).
"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request as OAuthlibRequest
from oauthlib.oauth2 import AuthorizationEndpoint, BearerToken
from oauthlib.oauth2 import FatalClientError as OAuthlibFatal
from oauthlib.oauth2 import OAuth2Error as OAuthlibError
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError, UnsupportedResponseTypeError
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant

from identity.applications.models import Application, ApplicationType
from identity.applications.queries import get_application_by_client_id, uris_of
from identity.applications.rules import redirect_uri_matches
from identity.gate.usable import is_usable
from identity.kernel.context import current_realm
from identity.oauth import rules
from identity.oauth.commands.issuing import Approval, issue_code
from identity.oauth.errors import ProtocolError


def _first_pass(request: OAuthlibRequest) -> OAuthlibRequest | None:
    """The same request as the view had it checked a moment ago, in the second pass, which makes the code.

    oauthlib shows each parameter of the address as an attribute: only our own object counts, never a client's text.
    """
    earlier = getattr(request, "request", None)
    if not isinstance(earlier, OAuthlibRequest):
        return None
    same = earlier.client_id == request.client_id and earlier.redirect_uri == request.redirect_uri
    return earlier if same else None


class RealmValidator(OAuth2Validator):
    """oauthlib's questions about an authorization request."""

    def validate_client_id(self, client_id: str, request: OAuthlibRequest, *args: Any, **kwargs: Any) -> bool:
        """An application of this realm that is usable; found once for the two passes of one request."""
        earlier = _first_pass(request)
        application = earlier.client if earlier else get_application_by_client_id(client_id)
        realm = current_realm()
        if application is None or realm is None or not is_usable(realm, application=application):  # type: ignore[arg-type]
            return False
        request.client = application
        return True

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: OAuthlibRequest, *args: Any, **kwargs: Any
    ) -> bool:
        """Exact match with a registered URI (OA-01); the port of a native app's loopback address is free (OA-02)."""
        if _first_pass(request) is not None:
            return True
        application: Application = request.client
        native = application.type == ApplicationType.NATIVE
        return redirect_uri_matches(uris_of(application), redirect_uri, native=native)

    def get_default_redirect_uri(self, client_id: str, request: OAuthlibRequest, *args: Any, **kwargs: Any) -> None:
        """There is none: a request names its redirect URI, so that the code is bound to it (OA-08)."""

    def validate_response_type(
        self,
        client_id: str,
        response_type: str,
        client: Application,
        request: OAuthlibRequest,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """`code` alone."""
        if response_type != "code":
            raise UnsupportedResponseTypeError(request=request)
        return bool(client.allows_grant_type("authorization_code"))

    def is_pkce_required(self, client_id: str, request: OAuthlibRequest) -> bool:
        """Always, also for confidential clients (RFC 9700, 2.1.1); and S256 alone."""
        try:
            rules.checked_challenge(request.code_challenge or "", request.code_challenge_method or "")
        except ProtocolError as problem:
            raise InvalidRequestError(description=problem.description, request=request)
        return True

    def get_default_scopes(self, client_id: str, request: OAuthlibRequest, *args: Any, **kwargs: Any) -> list[str]:
        """None: a request says what it wants."""
        return []

    def validate_scopes(
        self,
        client_id: str,
        scopes: list[str],
        client: Application,
        request: OAuthlibRequest,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """Scopes that the application is registered for."""
        try:
            return bool(rules.requested_scopes(" ".join(scopes), client.scopes, default=()))
        except ProtocolError as problem:
            raise InvalidScopeError(description=problem.description, request=request)

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: OAuthlibRequest, *args: Any, **kwargs: Any
    ) -> None:
        """Store the code with what the person approved."""
        approval: Approval = request.approval
        issue_code(
            request.actor,
            realm=current_realm(),  # type: ignore[arg-type]
            application=request.client,
            session=request.session_row,
            approval=approval,
            code=code["code"],
        )


class CodeServer(AuthorizationEndpoint):
    """An authorization endpoint of one response type."""

    def __init__(self, validator: RealmValidator, **kwargs: Any) -> None:
        self.request_validator = validator
        super().__init__(
            default_response_type="code",
            default_token_type=BearerToken(validator),
            response_types={"code": AuthorizationCodeGrant(validator)},
        )


class RealmCore(OAuthLibCore):
    """Hands oauthlib the parameters that the view has parsed already: one parser, one opinion (OA-04)."""

    def _extract_params(self, request: HttpRequest) -> tuple[str, str, str, dict[str, str]]:
        return f"/?{urlencode(request.oauth)}", "GET", "", {}  # type: ignore[attr-defined]

    def create_authorization_response(
        self, request: HttpRequest, scopes: list[str], credentials: dict[str, Any], allow: bool
    ) -> tuple[Any, ...]:
        """The redirect with the code. The view adds `iss`, as on every answer (RFC 9207)."""
        uri, method, body, headers = self._extract_params(request)
        try:
            answered, content, status = self.server.create_authorization_response(
                uri=uri, http_method=method, body=body, headers=headers, scopes=scopes, credentials=credentials
            )
        except OAuthlibFatal as error:
            raise FatalClientError(error=error)
        except OAuthlibError as error:
            raise OAuthToolkitError(error=error)
        return answered.get("Location"), answered, content, status
