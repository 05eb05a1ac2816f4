"""Addresses of saved views."""

from django.urls import path

from console.savedviews import views

urlpatterns = [
    path("views", views.Views.as_view(), name="views"),
    path("views/new", views.Create.as_view(), name="view_create"),
    path("views/<str:public_id>/edit", views.Edit.as_view(), name="view_edit"),
    path("views/<str:public_id>/default", views.MakeDefault.as_view(), name="view_default"),
    path("views/<str:public_id>/delete", views.Delete.as_view(), name="view_delete"),
]
