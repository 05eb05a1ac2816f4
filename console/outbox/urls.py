"""Address of the development outbox. Outside development it does not exist, nor does its line in the sidebar."""

from django.conf import settings
from django.urls import path

from console.outbox import views

urlpatterns = [path("outbox", views.Outbox.as_view(), name="outbox")] if settings.REALMKEEP_DEVELOPMENT else []
