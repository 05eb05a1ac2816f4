"""Ways in, under a realm's mount. Of allauth's URLs only those in use exist."""

from allauth.account import views
from django.urls import path, re_path

urlpatterns = [
    path("signin", views.login, name="account_login"),
    path("signup", views.signup, name="account_signup"),
    path("signout", views.logout, name="account_logout"),
    path("signin/paused", views.account_inactive, name="account_inactive"),
    path("signin/again", views.reauthenticate, name="account_reauthenticate"),
    path("email/sent", views.email_verification_sent, name="account_email_verification_sent"),
    path("email/confirm/<str:key>", views.confirm_email, name="account_confirm_email"),
    path("account/email", views.email, name="account_email"),
    path("account/password", views.password_change, name="account_change_password"),
    path("account/password/set", views.password_set, name="account_set_password"),
    path("password/reset", views.password_reset, name="account_reset_password"),
    path("password/reset/sent", views.password_reset_done, name="account_reset_password_done"),
    path("password/reset/done", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9a-f]{32})-(?P<key>.+)$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]
