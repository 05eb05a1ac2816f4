"""WSGI: pages and protocol under granian."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - apps must be loaded first
from django.urls import get_resolver  # noqa: E402

from identity.audit.checks import log_findings  # noqa: E402
from identity.oauth.fastpath import ProtocolFirst  # noqa: E402

# See asgi.py.
_ = get_resolver().url_patterns
application = ProtocolFirst(application)

if settings.REALMKEEP_CHECK_AT_START:
    log_findings()

# What is loaded now stays for good: the collector need not look through it again, some tens of milliseconds each time.
gc.collect()
gc.freeze()
