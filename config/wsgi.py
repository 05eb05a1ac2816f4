"""WSGI: pages and protocol under granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
application = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402 - apps must be loaded first

# See asgi.py.
_ = get_resolver().url_patterns
