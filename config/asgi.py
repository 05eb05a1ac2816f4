"""ASGI: pages and websockets under daphne."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
_http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - apps must be loaded first
from django.conf import settings  # noqa: E402
from django.urls import get_resolver, path  # noqa: E402

from console.live.consumers import FeedConsumer  # noqa: E402
from console.live.principal import ConsoleActorScope  # noqa: E402
from identity.audit.checks import log_findings  # noqa: E402
from identity.realms.mount import DropRootPath, RealmScope, SameOriginOnly  # noqa: E402

# Built before the first request: allauth's URLconf and forms read settings while they are imported, and the first
# request's realm must not be baked in for all.
_ = get_resolver().url_patterns

# A trail whose guards were taken away says so in the log; /readyz then keeps traffic away.
if settings.REALMKEEP_CHECK_AT_START:
    log_findings()

application = DropRootPath(
    ProtocolTypeRouter(
        {
            "http": _http,
            "websocket": RealmScope(
                SameOriginOnly(ConsoleActorScope(URLRouter([path("console/live", FeedConsumer.as_asgi())])))
            ),
        }
    )
)
