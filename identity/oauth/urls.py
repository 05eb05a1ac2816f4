"""The protocol's paths under a realm's mount; frozen (DECISIONS 13)."""

from django.urls import path

from identity.oauth import paths
from identity.oauth.fastpath import view
from identity.oauth.views import logout
from identity.oauth.views.authorize import AuthorizeView

urlpatterns = [
    path(paths.AUTHORIZE, AuthorizeView.as_view(), name="oauth_authorize"),
    path(paths.LOGOUT, logout.end, name="oauth_logout"),
    path(paths.LOGOUT_CONFIRM, logout.confirm, name="oauth_logout_confirm"),
    path(paths.TOKEN, view, name="oauth_token"),
    path(paths.REVOKE, view, name="oauth_revoke"),
    path(paths.INTROSPECT, view, name="oauth_introspect"),
    path(paths.USERINFO, view, name="oauth_userinfo"),
    path(paths.JWKS, view, name="jwks"),
    path(paths.OPENID_CONFIGURATION, view, name="openid_configuration"),
    path(paths.SERVER_METADATA, view, name="oauth_metadata"),
]
