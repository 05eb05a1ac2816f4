"""Addresses of the area. Each page has a module of its own."""

from django.urls import path

from console.signin import attributes, factors, methods, passwords, preview, risk
from console.signin.messages import urls as messages
from console.signin.providers import urls as providers

urlpatterns = [
    path("sign-in", methods.Methods.as_view(), name="signin"),
    path("sign-in/preview", preview.Preview.as_view(), name="signin_preview"),
    *messages.urlpatterns,
    path("sign-in/second-factor", factors.Factors.as_view(), name="signin_factors"),
    path("sign-in/passwords", passwords.Passwords.as_view(), name="signin_passwords"),
    path("sign-in/risk", risk.Risk.as_view(), name="signin_risk"),
    *providers.urlpatterns,
    path("sign-in/attributes", attributes.Attributes.as_view(), name="signin_attributes"),
    path("sign-in/attributes/new", attributes.NewAttribute.as_view(), name="signin_attribute_new"),
    path("sign-in/attributes/<str:name>", attributes.OneAttribute.as_view(), name="signin_attribute"),
    path("sign-in/attributes/<str:name>/move", attributes.MoveAttribute.as_view(), name="signin_attribute_move"),
    path("sign-in/attributes/<str:name>/delete", attributes.DeleteAttribute.as_view(), name="signin_attribute_delete"),
]
