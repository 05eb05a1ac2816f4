"""Addresses of the audit trail."""

from django.urls import path

from console.audit import views

urlpatterns = [
    path("audit", views.Trail.as_view(), name="audit"),
    path("audit/export", views.Export.as_view(), name="audit_export"),
    path("audit/<str:public_id>", views.EventPage.as_view(), name="event"),
]
