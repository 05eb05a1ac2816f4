"""Asks the server on this machine whether it answers: `check_health.py PORT`. The containers' health check."""

import os
import sys
import urllib.request
from urllib.parse import urlsplit


def is_healthy(address: str, origin: str) -> bool:
    """Whether `address` answers /healthz. A server knows only its own hosts, so it is asked by its origin's name."""
    request = urllib.request.Request(f"{address}/healthz", headers={"Host": urlsplit(origin).netloc})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=3) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    port = sys.argv[1]
    sys.exit(not is_healthy(f"http://127.0.0.1:{port}", os.environ.get("REALMKEEP_ORIGIN", f"http://localhost:{port}")))
