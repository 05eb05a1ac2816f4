"""Tests: fixed keys, a data folder of its own, the database that DATABASE_URL names (SQLite otherwise)."""

import base64
import os
import tempfile

# In memory where there is one: the product's pragmas wait for the disk at each commit.
_memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
os.environ.setdefault("REALMKEEP_DATA", tempfile.mkdtemp(prefix="realmkeep-test-", dir=_memory))
os.environ.setdefault("REALMKEEP_ORIGIN", "http://testserver")

from config import env  # noqa: E402 - the environment comes first
from config.settings.base import *  # noqa: E402
from config.settings.base import DATABASES, REALMKEEP_DATA, REALMKEEP_MAIN_HOSTS  # noqa: E402

SECRET_KEY = "test-key-that-protects-nothing-and-is-long-enough-for-the-checks"
REALMKEEP_MASTER_KEYS = env.keys("REALMKEEP_MASTER_KEYS", "1:" + base64.b64encode(b"m" * 32).decode())
REALMKEEP_PEPPERS = env.keys("REALMKEEP_PEPPERS", "1:" + base64.b64encode(b"p" * 32).decode())
REALMKEEP_DEVELOPMENT = True
STATIC_ROOT = REALMKEEP_DATA / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
REALMKEEP_MAIN_HOSTS |= {"testserver", "127.0.0.1", "localhost"}
if DATABASES["default"]["ENGINE"] == "identity.kernel.sqlite":
    # A file, not memory: WAL, the writers' queue and threads behave as in the product.
    DATABASES["default"]["TEST"] = {"NAME": str(REALMKEEP_DATA / "test.sqlite3")}
elif "TEST_TEMPLATE" in os.environ:
    # A database whose tables are made already, to copy (bin/test).
    DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ["TEST_TEMPLATE"]}
DEBUG = False
# Static files are looked for when they are asked for: to list them all is a third of a client's first request.
WHITENOISE_AUTOREFRESH = True
REALMKEEP_CHECK_AT_START = False
