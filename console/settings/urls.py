"""Addresses of the settings area."""

from django.urls import path

from console.settings import views

urlpatterns = [
    path("settings", views.Settings.as_view(), name="settings"),
    path("settings/<slug:section>", views.Section.as_view(), name="settings_section"),
]
