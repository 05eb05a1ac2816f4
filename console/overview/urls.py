"""Address of the overview: the console's first page."""

from django.urls import path

from console.overview import views

urlpatterns = [path("", views.Overview.as_view(), name="index")]
