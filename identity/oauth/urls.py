"""The protocol's paths under a realm's mount; frozen (DECISIONS 13)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
