"""Addresses of the area. Each page has a module of its own."""

from django.urls import path

from console.signin import factors, methods, passwords
from console.signin.messages import urls as messages
from console.signin.providers import urls as providers

urlpatterns = [
    path("sign-in", methods.Methods.as_view(), name="signin"),
    *messages.urlpatterns,
    path("sign-in/second-factor", factors.Factors.as_view(), name="signin_factors"),
    path("sign-in/passwords", passwords.Passwords.as_view(), name="signin_passwords"),
    *providers.urlpatterns,
]
