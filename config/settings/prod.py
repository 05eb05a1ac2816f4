"""Production: refuses to start without its keys, a database and an HTTPS origin (DECISIONS 11)."""

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.settings.base import *
from config.settings.base import BASE_DIR, REALMKEEP_EMBEDDED, REALMKEEP_ORIGIN, REALMKEEP_TRUSTED_PROXIES

REALMKEEP_PRODUCTION = True
REALMKEEP_DEVELOPMENT = False
DEBUG = False
SECRET_KEY = env.text("SECRET_KEY")
REALMKEEP_MASTER_KEYS = env.keys("REALMKEEP_MASTER_KEYS", env.text("REALMKEEP_MASTER_KEYS"))
REALMKEEP_PEPPERS = env.keys("REALMKEEP_PEPPERS", env.text("REALMKEEP_PEPPERS"))

if REALMKEEP_EMBEDDED:
    raise ImproperlyConfigured("Set DATABASE_URL: production does not run on the embedded database.")
if not REALMKEEP_ORIGIN.startswith("https://") and not env.flag("REALMKEEP_ALLOW_HTTP", False):
    raise ImproperlyConfigured("Set REALMKEEP_ORIGIN to an https:// origin.")

if REALMKEEP_TRUSTED_PROXIES:
    # Our proxy ends TLS and says so; Django's CSRF check compares the browser's Origin with the scheme. Without a proxy
    # the header is any client's to send.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Collected when the image is built; elsewhere static/ is served as it lies.
STATIC_ROOT = BASE_DIR / "var" / "static"
WHITENOISE_USE_FINDERS = False
SECURE_HSTS_SECONDS = 31_536_000 if REALMKEEP_ORIGIN.startswith("https://") else 0
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
