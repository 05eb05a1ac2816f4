"""URLs inside a realm's mount. Host pages are in host_urls."""

from django.urls import include, path

from console.account import theme
from console.site import console_site

urlpatterns = [
    path("theme.css", theme.stylesheet, name="theme"),
    path("", include("identity.signin.urls")),
    path("", include("identity.oauth.urls")),
    path("account/", include("console.account.urls")),
    path("console/", console_site.urls),
]
handler400 = "console.errors.bad_request"
handler403 = "console.errors.forbidden"
handler404 = "console.errors.not_found"
handler500 = "console.errors.server_error"
