"""Addresses of the area. Each page has a module of its own."""

from django.urls import path

from console.signin import methods

urlpatterns = [
    path("sign-in", methods.Methods.as_view(), name="signin"),
]
