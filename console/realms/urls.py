"""Addresses of the realms area. They exist in every realm's console and open only in `platform` (AC-01)."""

from django.urls import path

from console.realms import views

urlpatterns = [
    path("realms", views.Realms.as_view(), name="realms"),
    path("realms/new", views.Create.as_view(), name="realm_create"),
    path("realms/<str:public_id>", views.RealmDetail.as_view(), name="realm"),
    path("realms/<str:public_id>/enter", views.Enter.as_view(), name="realm_enter"),
    path("realms/<str:public_id>/back", views.Back.as_view(), name="realm_back"),
    path("realms/<str:public_id>/suspend", views.Suspend.as_view(), name="realm_suspend"),
    path("realms/<str:public_id>/resume", views.Resume.as_view(), name="realm_resume"),
    path("realms/<str:public_id>/delete", views.Delete.as_view(), name="realm_delete"),
    path("realms/<str:public_id>/visits/<str:visit_id>/end", views.EndVisit.as_view(), name="realm_visit_end"),
]
