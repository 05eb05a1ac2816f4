"""Addresses of visits, in the visited realm's console."""

from django.urls import path

from console.visits import views

urlpatterns = [path("visit/end", views.End.as_view(), name="visit_end")]
