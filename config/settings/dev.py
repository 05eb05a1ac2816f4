"""Embedded default: SQLite, in-memory channels, keys and mail in the data folder."""

from config import env
from config.embedded_keys import embedded_keys
from config.settings.base import *
from config.settings.base import REALMKEEP_DATA, REALMKEEP_MAIN_HOSTS

REALMKEEP_DATA.mkdir(parents=True, exist_ok=True)
_made = embedded_keys(REALMKEEP_DATA)
SECRET_KEY = env.text("SECRET_KEY", _made["SECRET_KEY"])
REALMKEEP_MASTER_KEYS = env.keys(
    "REALMKEEP_MASTER_KEYS", env.text("REALMKEEP_MASTER_KEYS", _made["REALMKEEP_MASTER_KEYS"])
)
REALMKEEP_PEPPERS = env.keys("REALMKEEP_PEPPERS", env.text("REALMKEEP_PEPPERS", _made["REALMKEEP_PEPPERS"]))
# Empty: files come from the finders. WhiteNoise warns when the folder is not there.
STATIC_ROOT = REALMKEEP_DATA / "static"
STATIC_ROOT.mkdir(exist_ok=True)
REALMKEEP_MAIN_HOSTS |= {"127.0.0.1", "localhost"}
# Shows queued mail and SMS in the console, and lets the demo be seeded. Never in production.
REALMKEEP_DEVELOPMENT = True
DEBUG = False
