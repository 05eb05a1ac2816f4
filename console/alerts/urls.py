"""Addresses of the Security page."""

from django.urls import path

from console.alerts import views

urlpatterns = [
    path("security", views.Alerts.as_view(), name="alerts"),
    path("security/<str:public_id>", views.AlertDetail.as_view(), name="alert"),
    path("security/<str:public_id>/contain", views.Contain.as_view(), name="alert_contain"),
    path("security/<str:public_id>/dismiss", views.Dismiss.as_view(), name="alert_dismiss"),
    path("security/<str:public_id>/take", views.Take.as_view(), name="alert_take"),
]
