"""A WSGI server of tests: the callable before Django, asked as granian would."""

import io
from typing import Any

from identity.oauth.fastpath import ProtocolFirst
from identity.oauth.tests.flows import FORM


class Wsgi:
    """Asks the callable as granian would; `passed` counts what it leaves to Django."""

    def __init__(self) -> None:
        self.passed = 0
        self.app = ProtocolFirst(self._django)

    def _django(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.passed += 1
        start_response("299 Django", [])
        return [b""]

    def ask(
        self, method: str, path: str, body: str | None = None, *, query: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        raw = (body or "").encode()
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": query,
            "HTTP_HOST": "testserver",
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_USER_AGENT": "probe",
            "CONTENT_TYPE": FORM if body is not None else "",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
            **headers,
        }
        got: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            got.update(status=int(status.split()[0]), headers=dict(headers))

        answer = b"".join(self.app(environ, start_response))
        return got["status"], got["headers"], answer
