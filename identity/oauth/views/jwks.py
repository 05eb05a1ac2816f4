"""The realm's public keys (RFC 7517): what signs, what will sign next, and what has signed until a moment ago."""

from identity.oauth.queries.published import published_keys
from identity.oauth.wire import Request, Response, json_response

# Short, so that a withdrawn key is gone soon; the next key is published long before it signs (OA-23).
HEADERS = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


def handle(request: Request) -> Response:
    """The key set. Anybody may read it."""
    return json_response({"keys": published_keys(request.realm)}, headers=HEADERS)
