"""Addresses of the consents area."""

from django.urls import path

from console.consents import views

urlpatterns = [
    path("consents", views.Consents.as_view(), name="consents"),
    path("consents/<str:public_id>", views.ConsentDetail.as_view(), name="consent"),
    path("consents/<str:public_id>/withdraw", views.Withdraw.as_view(), name="consent_withdraw"),
]
