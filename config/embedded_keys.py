"""Keys of the embedded mode: made once into the data folder, readable by its owner only (DECISIONS 11)."""

import base64
import json
import os
import secrets
from pathlib import Path

NAMES = ("REALMKEEP_MASTER_KEYS", "REALMKEEP_PEPPERS", "SECRET_KEY")


def embedded_keys(data: Path) -> dict[str, str]:
    """The installation's keys, from `keys.json` in `data`; written first if there is none.

    The file is created with O_EXCL, so of two processes that start at once one writes and the other reads it.
    """
    path = data / "keys.json"
    data.mkdir(parents=True, exist_ok=True)
    made = {
        "REALMKEEP_MASTER_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "REALMKEEP_PEPPERS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "SECRET_KEY": secrets.token_urlsafe(48),
    }
    temporary = data / f".keys.{os.getpid()}"
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: str(stored[name]) for name in NAMES}
