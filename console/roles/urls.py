"""Addresses of the roles area."""

from django.urls import path

from console.roles import views

urlpatterns = [
    path("roles", views.Roles.as_view(), name="roles"),
    path("roles/new", views.Create.as_view(), name="role_create"),
    path("roles/compare", views.Compare.as_view(), name="roles_compare"),
    path("roles/<str:public_id>", views.RoleDetail.as_view(), name="role"),
    path("roles/<str:public_id>/people", views.RolePeople.as_view(), name="role_people"),
    path("roles/<str:public_id>/edit", views.Edit.as_view(), name="role_edit"),
    path("roles/<str:public_id>/delete", views.Delete.as_view(), name="role_delete"),
    path("roles/<str:public_id>/requirements", views.Requirements.as_view(), name="role_requirements"),
    path("roles/<str:public_id>/give", views.Give.as_view(), name="role_give"),
    path("roles/<str:public_id>/take/<str:user_id>", views.Take.as_view(), name="role_take"),
]
