"""Addresses of the sessions area."""

from django.urls import path

from console.sessions import views

urlpatterns = [
    path("sessions", views.Sessions.as_view(), name="sessions"),
    path("sessions/end", views.EndSelected.as_view(), name="sessions_end"),
    path("sessions/of/<str:public_id>/end", views.EndOfApplication.as_view(), name="sessions_of_application_end"),
    path("sessions/<str:public_id>", views.SessionDetail.as_view(), name="session"),
    path("sessions/<str:public_id>/end", views.End.as_view(), name="session_end"),
]
