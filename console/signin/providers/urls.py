"""Addresses of identity providers."""

from django.urls import path

from console.signin.providers import acts, views

urlpatterns = [
    path("sign-in/providers", views.Providers.as_view(), name="signin_providers"),
    path("sign-in/providers/new", views.Create.as_view(), name="signin_provider_create"),
    path("sign-in/provider/<str:alias>", views.Detail.as_view(), name="signin_provider"),
    path("sign-in/provider/<str:alias>/test", views.Check.as_view(), name="signin_provider_check"),
    path("sign-in/provider/<str:alias>/trip", views.Trip.as_view(), name="signin_provider_trip"),
    path("sign-in/provider/<str:alias>/secret", acts.Secret.as_view(), name="signin_provider_secret"),
    path("sign-in/provider/<str:alias>/move", views.Move.as_view(), name="signin_provider_move"),
    path("sign-in/provider/<str:alias>/disable", acts.Disable.as_view(), name="signin_provider_disable"),
    path("sign-in/provider/<str:alias>/enable", acts.Enable.as_view(), name="signin_provider_enable"),
    path("sign-in/provider/<str:alias>/delete", acts.Delete.as_view(), name="signin_provider_delete"),
]
