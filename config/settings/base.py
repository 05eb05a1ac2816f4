"""What every environment shares."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from config import env
from config.languages import spoken_languages
from config.settings.components.apps import *
from config.settings.components.apps import BASE_DIR
from config.settings.components.libraries import *
from config.settings.components.security import *

REALMKEEP_DATA = Path(env.text("REALMKEEP_DATA", str(BASE_DIR / "var"))).resolve()
REALMKEEP_EMBEDDED = not os.environ.get("DATABASE_URL")
REALMKEEP_PRODUCTION = False
# Look at the audit table's guards when a server starts. Tests import the entry points without a database.
REALMKEEP_CHECK_AT_START = True

DATABASES = {
    "default": env.database(os.environ["DATABASE_URL"])
    if os.environ.get("DATABASE_URL")
    else env.sqlite(REALMKEEP_DATA / "realmkeep.sqlite3")
}
# Owns the tables and runs migrations; the role of DATABASE_URL only uses them (DECISIONS 10).
MIGRATE_DATABASE = env.database(os.environ["MIGRATE_DATABASE_URL"]) if os.environ.get("MIGRATE_DATABASE_URL") else None
# Behind a pooler that hands out connections per transaction there are none.
REALMKEEP_PREPARED_STATEMENTS = env.flag("REALMKEEP_PREPARED_STATEMENTS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "")
if REDIS_URL:
    # Pub/sub: the other Redis layer loses idle sockets with redis-py 8.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "rk"},
        }
    }
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# Cache keys begin with the realm, also those of libraries that know none (TI-16).
CACHES["default"]["KEY_FUNCTION"] = "identity.realms.caching.realm_key"

PORT = env.number("PORT", 8000)
REALMKEEP_ORIGIN = env.text("REALMKEEP_ORIGIN", f"http://127.0.0.1:{PORT}").rstrip("/")
REALMKEEP_MAIN_HOSTS = {
    (urlsplit(REALMKEEP_ORIGIN).hostname or "").lower(),
    *filter(None, os.environ.get("REALMKEEP_MAIN_HOSTS", "").lower().split(",")),
}
REALMKEEP_TRUSTED_PROXIES = env.number("REALMKEEP_TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = REALMKEEP_TRUSTED_PROXIES
# The mount is the check: an unknown host is a 404 before anything else runs.
ALLOWED_HOSTS = ["*"]

# What a realm gets that says nothing of its own; every realm overrides it in its console.
REALMKEEP_SETTING_DEFAULTS = env.setting_defaults()

# Networks that providers and gateways may lie in although they are not public, such as 10.0.0.0/8; plain http leaves
# only for these. Empty: only public addresses, only https.
REALMKEEP_OUTBOUND_NETWORKS = env.networks("REALMKEEP_OUTBOUND_NETWORKS")

# A database in MaxMind's format (GeoLite2, GeoIP2, DB-IP …) that says where addresses are, with cities and points.
# Without it the countries that come along are asked.
REALMKEEP_GEO_DATABASE = env.text("REALMKEEP_GEO_DATABASE", "")

EMAIL_URL = os.environ.get("EMAIL_URL", "")
# A day's short messages of all realms together, and those that one address may ask for in one realm (LG-13).
REALMKEEP_SMS_DAILY_LIMIT = env.number("REALMKEEP_SMS_DAILY_LIMIT", 10_000)
REALMKEEP_SMS_ADDRESS_DAILY_LIMIT = env.number("REALMKEEP_SMS_ADDRESS_DAILY_LIMIT", 60)
# Where the providers of short messages are asked: a region's own address of Twilio, a private endpoint of SNS.
REALMKEEP_TWILIO_URL = env.text("REALMKEEP_TWILIO_URL", "https://api.twilio.com").rstrip("/")
REALMKEEP_TWILIO_VERIFY_URL = env.text("REALMKEEP_TWILIO_VERIFY_URL", "https://verify.twilio.com").rstrip("/")
REALMKEEP_SNS_URL = env.text("REALMKEEP_SNS_URL", "")
# Who knows stolen passwords, asked by realms that switch it on; a mirror of one's own speaks the same protocol.
REALMKEEP_BREACH_URL = env.text("REALMKEEP_BREACH_URL", "https://api.pwnedpasswords.com").rstrip("/")
# A captcha for realms that want one: turnstile, hcaptcha or recaptcha, with the secret from the environment; or a class
# of one's own (identity.signin.captcha.Captcha).
REALMKEEP_CAPTCHA_CLASS = env.text("REALMKEEP_CAPTCHA_CLASS", "identity.signin.captcha.SiteVerify")
REALMKEEP_CAPTCHA_SERVICE = env.one_of("REALMKEEP_CAPTCHA_SERVICE", ("turnstile", "hcaptcha", "recaptcha"))
REALMKEEP_CAPTCHA_URL = env.text("REALMKEEP_CAPTCHA_URL", "")
REALMKEEP_CAPTCHA_SECRETS = env.secrets_by_realm("REALMKEEP_CAPTCHA_SECRET")
REALMKEEP_MAIL_FROM = os.environ.get("REALMKEEP_MAIL_FROM", "Realmkeep <no-reply@realmkeep.example>")

ROOT_URLCONF = "config.urls"
HOST_URLCONF = "config.host_urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"

# Absolute: a relative one would get the first realm's prefix, for the life of the process.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = spoken_languages(BASE_DIR / "locale")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
