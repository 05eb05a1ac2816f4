"""Addresses of the keys area."""

from django.urls import path

from console.keys import views

urlpatterns = [
    path("keys", views.Keys.as_view(), name="keys"),
    path("keys/rotate", views.Rotate.as_view(), name="key_rotate"),
    path("keys/withdraw", views.Withdraw.as_view(), name="key_withdraw"),
    path("keys/algorithm", views.Algorithm.as_view(), name="key_algorithm"),
]
