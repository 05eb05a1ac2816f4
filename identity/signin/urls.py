"""Ways in, under a realm's mount. Of allauth's URL names only those exist that are in use."""

from django.urls import path, re_path

from identity.signin.views import addresses, codes, door, passwords

urlpatterns = [
    path("", door.Door.as_view(), name="door"),
    path("signin", door.SignInView.as_view(), name="account_login"),
    path("signin/code", codes.CodeView.as_view(), name="account_confirm_login_code"),
    path("signin/again", door.ConfirmView.as_view(), name="account_reauthenticate"),
    path("signin/unusable", door.AccountUnusableView.as_view(), name="account_inactive"),
    path("signup", door.SignUpView.as_view(), name="account_signup"),
    path("signup/sent", door.CheckEmailView.as_view(), name="account_email_verification_sent"),
    path("signout", door.SignOutView.as_view(), name="account_logout"),
    path("invitation/<str:token>", door.InvitationView.as_view(), name="accept_invitation"),
    path("email/confirm/<str:key>", addresses.ConfirmEmailView.as_view(), name="account_confirm_email"),
    path("email/revert/<str:token>", addresses.RevertEmailView.as_view(), name="account_revert_email"),
    path("account/email", addresses.ChangeEmailView.as_view(), name="account_email"),
    path("account/password", passwords.ChangePasswordView.as_view(), name="account_change_password"),
    path("account/password/set", passwords.FirstPasswordView.as_view(), name="account_set_password"),
    path("password/reset", passwords.WishView.as_view(), name="account_reset_password"),
    path("password/reset/sent", passwords.WishNotedView.as_view(), name="account_reset_password_done"),
    path("password/reset/done", passwords.NewPasswordSavedView.as_view(), name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9a-f]{32})-(?P<key>[0-9a-z-]{10,60})$",
        passwords.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
]
