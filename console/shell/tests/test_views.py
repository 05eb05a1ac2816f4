"""Who sees a console page, and what a refusal looks like."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from console.shell.fragments import close_dialog, redirect_after, render_dialog, render_page, with_toast
from console.shell.views import ConsoleView, console_view
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied, RateLimited, Unavailable
from identity.kernel.permissions import Permission
from identity.realms.models import Realm


class Page(ConsoleView):
    permission = Permission.KEYS_READ

    def get(self, request):
        return HttpResponse("keys")


@pytest.fixture
def ask(realm_a):
    def _ask(actor, view=None, *, htmx=False, path="/console/keys?x=1", **headers):
        request = RequestFactory().get(path, headers={**({"HX-Request": "true"} if htmx else {}), **headers})
        request.realm, request.actor, request.visit = realm_a, actor, None
        request.htmx = HtmxDetails(request)
        with realm_scope(realm_a):
            return (view or Page.as_view())(request)

    return _ask


def refusing(error):
    @console_view(Permission.KEYS_READ)
    def view(request):
        raise error

    return view


def test_one_who_holds_the_permission_sees_the_page(ask, as_owner_a):
    response = ask(as_owner_a)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_a_stranger_is_sent_to_sign_in_and_back(client_for, realm_a):
    response = client_for(realm_a).get("/console/find?q=1")
    assert response.status_code == 302
    assert response["Location"] == "/realms/a/signin?next=/realms/a/console/find%3Fq%3D1"


def test_a_region_cannot_be_signed_in_to_so_the_page_is_loaded(client_for, realm_a):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/realms/a/console/users"}
    response = client_for(realm_a).get("/console/find", headers=headers)
    assert response["HX-Redirect"] == "/realms/a/signin?next=/realms/a/console/users"


def test_a_person_without_a_console_role_is_refused_not_redirected(client_for, realm_a, user_a):
    response = client_for(realm_a).sign_in(user_a).get("/console/find")
    assert response.status_code == 403
    assert "console:open" in response.content.decode()


def test_a_missing_permission_is_named(ask, as_owner_a):
    from dataclasses import replace

    weaker = replace(as_owner_a, permissions=frozenset({Permission.CONSOLE_OPEN}), object_permissions=frozenset())
    response = ask(weaker)
    assert response.status_code == 403
    assert "keys:read" in response.content.decode()
    assert "see signing keys" in response.content.decode()


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound(), 404), (PermissionDenied(permission="keys:rotate"), 403), (Conflict(), 409), (Invalid("No."), 422),
     (RateLimited(retry_after=3), 429), (Unavailable(), 503)],
)  # fmt: skip
def test_what_a_room_refuses_becomes_a_page(ask, as_owner_a, error, status):
    response = ask(as_owner_a, refusing(error))
    assert response.status_code == status
    assert response.content.count(b"<h1") == 1
    assert b"Traceback" not in response.content


def test_for_htmx_the_refusal_is_a_region(ask, as_owner_a):
    response = ask(as_owner_a, refusing(PermissionDenied(permission="keys:rotate")), htmx=True)
    assert response.status_code == 403
    assert b"<html" not in response.content
    assert "HX-Request" in response["Vary"]


def test_a_page_answers_htmx_with_its_region_and_its_title(ask, as_owner_a):
    def view(request):
        context = {"title": "Not <found>", "state_template": "rk/state/not_found.html", "message": "m"}
        return render_page(request, "console/state.html", context)

    whole, region = ask(as_owner_a, view), ask(as_owner_a, view, htmx=True)
    assert b"<html" in whole.content
    assert region.content.startswith(b"<title>Not &lt;found&gt; \xc2\xb7 Realm A \xc2\xb7 Realmkeep</title>")
    assert "HX-Request" in whole["Vary"]
    for header in ({"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}):
        assert b"<html" in ask(as_owner_a, view, htmx=True, **header).content


def test_a_dialog_is_a_page_without_scripts(ask, as_owner_a):
    def view(request):
        return render_dialog(request, "rk/dialog/base.html", {"action": "/x", "title": "Sure?"}, status=422)

    whole, region = ask(as_owner_a, view), ask(as_owner_a, view, htmx=True)
    assert whole.status_code == region.status_code == 422
    assert b"<html" in whole.content
    assert b"hx-post" not in whole.content.split(b'class="dlg-page"')[1].split(b"</form>")[0]
    assert b"<html" not in region.content
    assert b"hx-post" in region.content


def test_after_a_write_htmx_loads_the_page(ask, as_owner_a):
    response = ask(as_owner_a, lambda request: redirect_after(request, "/console/users"), htmx=True)
    assert response["HX-Redirect"] == "/console/users"


def test_toast_and_close_travel_as_events():
    response = close_dialog(with_toast(HttpResponse(), "Saved", level="info"))
    assert '"rk:toast": {"text": "Saved", "level": "info"}' in response["HX-Trigger"]
    assert "rk:close" in response["HX-Trigger"]


def test_the_theme_is_kept_without_scripts(client_for, realm_a):
    client = client_for(realm_a)
    client.get("/console/theme.css")
    response = client.post("/console/theme", {"theme": "dark", "next": "https://evil.example/"})
    assert response.cookies["rk_theme"].value == "dark"
    assert response["Location"] == "/realms/a/console/"
    assert client.post("/console/theme", {"theme": "pink"}).status_code == 400
    assert client.get("/console/theme").status_code == 405


def test_colors_are_a_stylesheet_of_the_realm(client_for, realm_a):
    Realm.objects.filter(pk=realm_a.pk).update(branding={"accent": "#7c3aed"})
    response = client_for(realm_a).get("/console/theme.css")
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert b"#7c3aed" in response.content


def test_whoever_has_no_role_is_shown_the_way_to_the_own_account(as_nobody):
    response = as_nobody.get("/console/")
    assert response.status_code == 403
    assert 'class="btn" href="/realms/a/account/"' in response.content.decode()


def test_another_missing_permission_keeps_to_the_console(as_role):
    response = as_role("Auditor").get("/console/users/invite")
    assert response.status_code == 403
    assert 'class="btn" href="/realms/a/account/"' not in response.content.decode()
