"""Addresses of the applications area."""

from django.urls import path

from console.applications import views

urlpatterns = [
    path("applications", views.Applications.as_view(), name="applications"),
    path("applications/new", views.Create.as_view(), name="application_create"),
    path("applications/disable", views.DisableMany.as_view(), name="applications_disable"),
    path("applications/<str:public_id>", views.Connect.as_view(), name="application"),
    path("applications/<str:public_id>/credentials", views.Credentials.as_view(), name="application_credentials"),
    path("applications/<str:public_id>/redirects", views.Redirects.as_view(), name="application_redirects"),
    path("applications/<str:public_id>/scopes", views.Scopes.as_view(), name="application_scopes"),
    path("applications/<str:public_id>/tokens", views.Tokens.as_view(), name="application_tokens"),
    path("applications/<str:public_id>/preview", views.Preview.as_view(), name="application_preview"),
    path("applications/<str:public_id>/access", views.Access.as_view(), name="application_access"),
    path("applications/<str:public_id>/managers/add", views.AddManager.as_view(), name="application_manager_add"),
    path(
        "applications/<str:public_id>/managers/<str:user_id>/take",
        views.TakeFromManager.as_view(),
        name="application_manager_take",
    ),
    path("applications/<str:public_id>/activity", views.Activity.as_view(), name="application_activity"),
    path("applications/<str:public_id>/edit", views.Edit.as_view(), name="application_edit"),
    path("applications/<str:public_id>/secrets/add", views.AddSecret.as_view(), name="application_secret_add"),
    path(
        "applications/<str:public_id>/secrets/<uuid:secret_id>/revoke",
        views.RevokeSecret.as_view(),
        name="application_secret_revoke",
    ),
    path("applications/<str:public_id>/disable", views.Disable.as_view(), name="application_disable"),
    path("applications/<str:public_id>/enable", views.Enable.as_view(), name="application_enable"),
    path("applications/<str:public_id>/delete", views.Delete.as_view(), name="application_delete"),
    path("apis", views.Apis.as_view(), name="apis"),
    path("apis/new", views.CreateApi.as_view(), name="api_create"),
    path("apis/<uuid:api_id>/delete", views.DeleteApi.as_view(), name="api_delete"),
    path("apis/<uuid:api_id>/clients/add", views.AddApiClient.as_view(), name="api_client_add"),
    path(
        "apis/<uuid:api_id>/clients/<uuid:application_id>/remove",
        views.RemoveApiClient.as_view(),
        name="api_client_remove",
    ),
    path("apis/<uuid:api_id>/scopes/new", views.CreateScope.as_view(), name="api_scope_create"),
    path("apis/scopes/<uuid:scope_id>/edit", views.EditScope.as_view(), name="api_scope_edit"),
    path("apis/scopes/<uuid:scope_id>/delete", views.DeleteScope.as_view(), name="api_scope_delete"),
]
