"""Tests: fixed keys, a data folder of its own, the database that DATABASE_URL names (SQLite otherwise)."""

import base64
import os
import tempfile

os.environ.setdefault("REALMKEEP_DATA", tempfile.mkdtemp(prefix="realmkeep-test-"))
os.environ.setdefault("REALMKEEP_ORIGIN", "http://testserver")

from config import env
from config.settings.base import *
from config.settings.base import DATABASES, REALMKEEP_DATA, REALMKEEP_MAIN_HOSTS

SECRET_KEY = "test-key-that-protects-nothing-and-is-long-enough-for-the-checks"
REALMKEEP_MASTER_KEYS = env.keys("REALMKEEP_MASTER_KEYS", "1:" + base64.b64encode(b"m" * 32).decode())
REALMKEEP_PEPPERS = env.keys("REALMKEEP_PEPPERS", "1:" + base64.b64encode(b"p" * 32).decode())
REALMKEEP_DEVELOPMENT = True
REALMKEEP_MAIN_HOSTS |= {"testserver", "127.0.0.1", "localhost"}
if DATABASES["default"]["ENGINE"] == "identity.kernel.sqlite":
    # A file, not memory: WAL, the writers' queue and threads behave as in the product.
    # Nobody pulls the plug on a test's database. The kill test runs real servers, with the product's own pragmas.
    _options = DATABASES["default"]["OPTIONS"]
    _options["init_command"] = _options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    DATABASES["default"]["TEST"] = {"NAME": str(REALMKEEP_DATA / "test.sqlite3")}
DEBUG = False
