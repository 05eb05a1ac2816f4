"""URLs outside the mounts: the start page and what machines ask."""

from django.urls import path

from console import host

urlpatterns = [
    path("", host.index, name="host_index"),
    path("healthz", host.healthz, name="healthz"),
    path("readyz", host.readyz, name="readyz"),
]
handler400 = "console.errors.bad_request"
handler403 = "console.errors.forbidden"
handler404 = "console.errors.not_found"
handler500 = "console.errors.server_error"
