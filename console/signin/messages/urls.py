"""Addresses of text messages."""

from django.urls import path

from console.signin.messages import acts, views

urlpatterns = [
    path("sign-in/messages", views.Messages.as_view(), name="signin_messages"),
    path("sign-in/messages/new", views.Create.as_view(), name="signin_sms_create"),
    path("sign-in/messages/<str:public_id>", views.Detail.as_view(), name="signin_sms"),
    path("sign-in/messages/<str:public_id>/test", views.Check.as_view(), name="signin_sms_check"),
    path("sign-in/messages/<str:public_id>/move", acts.Move.as_view(), name="signin_sms_move"),
    path("sign-in/messages/<str:public_id>/enable", acts.Enable.as_view(), name="signin_sms_enable"),
    path("sign-in/messages/<str:public_id>/disable", acts.Disable.as_view(), name="signin_sms_disable"),
    path("sign-in/messages/<str:public_id>/delete", acts.Delete.as_view(), name="signin_sms_delete"),
]
