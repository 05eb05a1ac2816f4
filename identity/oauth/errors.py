"""The protocol's expected failures: an error code of the RFCs, a sentence for developers, a status."""

from collections.abc import Mapping

from identity.kernel.errors import RealmkeepError


class ProtocolError(RealmkeepError):
    """An error response (RFC 6749, 5.2; RFC 6750, 3.1). `error` is the registered code; the description is English.

    Descriptions are for developers and go over the wire as printable ASCII, so they are not translated.
    """

    def __init__(
        self, error: str, description: str = "", *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description or error, code=error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


def invalid_request(description: str) -> ProtocolError:
    """The request is malformed: a parameter is missing, repeated or not understood."""
    return ProtocolError("invalid_request", description)


def invalid_grant(description: str) -> ProtocolError:
    """The code or refresh token is not good (any more), or was given to another client."""
    return ProtocolError("invalid_grant", description)


def invalid_client(description: str, *, challenge: bool = True) -> ProtocolError:
    """Client authentication failed. The challenge names the scheme that we take (RFC 6749, 5.2)."""
    headers = {"WWW-Authenticate": 'Basic realm="token"'} if challenge else None
    return ProtocolError("invalid_client", description, status=401, headers=headers)


def invalid_scope(description: str) -> ProtocolError:
    """A scope that does not exist, or that this client or grant can't have."""
    return ProtocolError("invalid_scope", description)


def invalid_token(description: str = "The access token is not valid.") -> ProtocolError:
    """A protected resource was asked with a token that is not good (RFC 6750, 3.1)."""
    return ProtocolError(
        "invalid_token",
        description,
        status=401,
        headers={"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{description}"'},
    )
