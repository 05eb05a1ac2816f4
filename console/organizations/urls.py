"""Addresses of the organizations area."""

from django.urls import path

from console.organizations import views

urlpatterns = [
    path("organizations", views.Organizations.as_view(), name="organizations"),
    path("organizations/new", views.Create.as_view(), name="organization_create"),
    path("organizations/<str:public_id>", views.Overview.as_view(), name="organization"),
    path("organizations/<str:public_id>/members", views.Members.as_view(), name="organization_members"),
    path("organizations/<str:public_id>/managers", views.Managers.as_view(), name="organization_managers"),
    path("organizations/<str:public_id>/activity", views.Activity.as_view(), name="organization_activity"),
    path("organizations/<str:public_id>/edit", views.Edit.as_view(), name="organization_edit"),
    path("organizations/<str:public_id>/delete", views.Delete.as_view(), name="organization_delete"),
    path("organizations/<str:public_id>/members/add", views.AddMember.as_view(), name="organization_member_add"),
    path(
        "organizations/<str:public_id>/members/<str:user_id>/remove",
        views.RemoveMember.as_view(),
        name="organization_member_remove",
    ),
    path("organizations/<str:public_id>/managers/add", views.AddManager.as_view(), name="organization_manager_add"),
    path(
        "organizations/<str:public_id>/managers/<str:user_id>/take",
        views.TakeFromManager.as_view(),
        name="organization_manager_take",
    ),
]
