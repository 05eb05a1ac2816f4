"""Addresses of the users area."""

from django.urls import path

from console.users import views

urlpatterns = [
    path("users", views.Users.as_view(), name="users"),
    path("users/new", views.Create.as_view(), name="user_create"),
    path("users/invite", views.Invite.as_view(), name="user_invite"),
    path("users/end-sessions", views.EndSessionsOfMany.as_view(), name="users_end_sessions"),
    path("users/disable", views.DisableMany.as_view(), name="users_disable"),
    path("users/<str:public_id>", views.Overview.as_view(), name="user"),
    path("users/<str:public_id>/access", views.Access.as_view(), name="user_access"),
    path("users/<str:public_id>/sessions", views.Sessions.as_view(), name="user_sessions"),
    path("users/<str:public_id>/consents", views.Consents.as_view(), name="user_consents"),
    path("users/<str:public_id>/activity", views.Activity.as_view(), name="user_activity"),
    path("users/<str:public_id>/edit", views.Edit.as_view(), name="user_edit"),
    path("users/<str:public_id>/edit/<str:section>", views.EditSection.as_view(), name="user_edit_section"),
    path("users/<str:public_id>/roles/give", views.GiveRole.as_view(), name="user_give_role"),
    path("users/<str:public_id>/end-sessions", views.EndSessions.as_view(), name="user_end_sessions"),
    path("users/<str:public_id>/reset-link", views.SendResetLink.as_view(), name="user_reset_link"),
    path("users/<str:public_id>/new-password", views.RequireNewPassword.as_view(), name="user_new_password"),
    path("users/<str:public_id>/reset-factors", views.ResetFactors.as_view(), name="user_reset_factors"),
    path(
        "users/<str:public_id>/devices/<uuid:device_id>/forget",
        views.ForgetDevice.as_view(),
        name="user_forget_device",
    ),
    path("users/<str:public_id>/unlink/<str:alias>", views.Unlink.as_view(), name="user_unlink"),
    path("users/<str:public_id>/lock", views.Lock.as_view(), name="user_lock"),
    path("users/<str:public_id>/unlock", views.Unlock.as_view(), name="user_unlock"),
    path("users/<str:public_id>/unlock-sign-in", views.UnlockSignIn.as_view(), name="user_unlock_sign_in"),
    path("users/<str:public_id>/disable", views.Disable.as_view(), name="user_disable"),
    path("users/<str:public_id>/enable", views.Enable.as_view(), name="user_enable"),
    path("users/<str:public_id>/approve", views.Approve.as_view(), name="user_approve"),
    path("users/<str:public_id>/refuse", views.Refuse.as_view(), name="user_refuse"),
    path("users/<str:public_id>/delete", views.Delete.as_view(), name="user_delete"),
    path("users/<str:public_id>/invite-again", views.InviteAgain.as_view(), name="user_invite_again"),
    path(
        "users/<str:public_id>/withdraw-invitation",
        views.WithdrawInvitation.as_view(),
        name="user_withdraw_invitation",
    ),
]
