"""Every page of the console, relative to /console/ in the realm's mount. Names live in the namespace `console`."""

from django.urls import URLPattern, URLResolver, include, path

AREAS = (
    "overview",
    "alerts",
    "audit",
    "sessions",
    "users",
    "organizations",
    "roles",
    "applications",
    "consents",
    "settings",
    "signin",
    "savedviews",
    "keys",
    "outbox",
    "realms",
    "visits",
)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(f"console.{area}.urls")) for area in AREAS]
