"""Addresses of the audit trail."""

from django.urls import path

from console.audit import views

urlpatterns = [
    path("audit", views.Trail.as_view(), name="audit"),
    path("audit/export", views.Export.as_view(), name="audit_export"),
    path("audit/exports", views.Exports.as_view(), name="audit_exports"),
    path("audit/exports/<str:public_id>", views.ExportFile.as_view(), name="audit_export_file"),
    path("audit/<str:public_id>", views.EventPage.as_view(), name="event"),
]
