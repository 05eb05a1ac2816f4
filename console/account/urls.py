"""Pages of the own account, relative to /account/ in the realm's mount. Password and e-mail pages are sign-in's."""

from django.urls import path

from console.account import language, views

app_name = "selfservice"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("details", views.details, name="details"),
    path("security", views.security, name="security"),
    path("devices", views.devices, name="devices"),
    path("devices/others/end", views.end_other_sessions, name="end_other_sessions"),
    path("devices/known/<uuid:device_id>/forget", views.forget_one_device, name="forget_device"),
    path("devices/<str:session_id>/end", views.end_one_session, name="end_session"),
    path("apps", views.applications, name="applications"),
    path("apps/<str:consent_id>", views.application, name="application"),
    path("apps/<str:consent_id>/withdraw", views.withdraw, name="withdraw"),
    path("activity", views.activity, name="activity"),
    path("language", language.choose_language, name="choose_language"),
]
