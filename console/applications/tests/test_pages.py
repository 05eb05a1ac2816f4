"""Pages and dialogs of the applications area: they show, they write through commands, and they refuse."""

import re
from collections.abc import Callable

import pytest

from conftest import make_application, make_user
from identity.applications.models import Application, ApplicationStatus, ClientSecret, ResourceServer, Scope
from identity.applications.queries import uris_of, verify_secret
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

App = tuple[Application, str]
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def owner(realm_a: Realm, owner_a: object) -> RealmClient:
    """A's owner in a browser."""
    return RealmClient(realm_a).sign_in(owner_a)  # type: ignore[arg-type]


@pytest.fixture
def auditor(realm_a: Realm) -> RealmClient:
    """One who may read and nothing else."""
    return RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))


def path(application: Application, rest: str = "") -> str:
    return f"/console/applications/{public_id('application', application.pk)}{rest}"


TABS = ["", "/credentials", "/redirects", "/scopes", "/tokens", "/activity"]


def test_the_activity_of_an_application_reads_like_every_list_of_events(owner: RealmClient, app_a: App) -> None:
    page = owner.get(path(app_a[0], "/activity"))
    feed = re.search(r'<ol class="feed">(.*?)</ol>', page.text, re.DOTALL)
    assert feed is not None, "a sentence without its icon falls into the icon's column"
    assert 0 < feed[1].count("<li") == feed[1].count('class="when"')
    assert "application.registered" in feed[1]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_a_page_and_a_region_of_it(owner: RealmClient, app_a: App, tab: str) -> None:
    whole = owner.get(path(app_a[0], tab))
    region = owner.get(path(app_a[0], tab), **HTMX)
    assert (whole.status_code, region.status_code) == (200, 200)
    assert "<html" in whole.text
    assert "<html" not in region.text
    assert whole.text.count("<h1") == 1
    assert "HX-Request" in whole.headers["Vary"]
    assert "no-store" in whole.headers["Cache-Control"]


@pytest.mark.parametrize("tab", TABS)
def test_ac_10_no_page_shows_a_stored_secret(owner: RealmClient, app_a: App, tab: str) -> None:
    assert app_a[1] not in owner.get(path(app_a[0], tab)).text


def test_the_list_searches_filters_and_shows_what_there_is(owner: RealmClient, realm_a: Realm, app_a: App) -> None:
    make_application(realm_a, client_id="job", name="Night job", type="service", redirect_uris=[], scopes=[])
    text = owner.get("/console/applications").text
    assert "Portal" in text
    assert "Night job" in text
    assert "Portal" not in owner.get("/console/applications?q=night").text
    assert "Night job" not in owner.get("/console/applications?type=web").text
    assert "No applications match" in owner.get("/console/applications?q=nothing").text


def test_an_empty_list_says_what_to_do(owner: RealmClient) -> None:
    assert "No applications yet" in owner.get("/console/applications").text


def test_adding_a_web_application_shows_its_secret_this_once(owner: RealmClient, realm_a: Realm) -> None:
    answer = owner.post(
        "/console/applications/new",
        {"type": "web", "name": "Shop", "redirect_uris": "https://shop.example/cb\nhttps://shop.example/other"},
    )
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    with realm_scope(realm_a):
        application = Application.objects.get(name="Shop")
        assert uris_of(application) == ["https://shop.example/cb", "https://shop.example/other"]
        shown = answer.text.split("data-secret>")[1].split("<")[0]
        assert verify_secret(application, shown) is not None
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="application.registered").count() == 1


def test_adding_a_service_needs_no_redirect_and_a_native_one_gets_no_secret(owner: RealmClient, realm_a: Realm) -> None:
    owner.post("/console/applications/new", {"type": "service", "name": "Job"})
    answer = owner.post(
        "/console/applications/new", {"type": "native", "name": "App", "redirect_uris": "com.example.app:/cb"}
    )
    assert answer.status_code == 302
    with realm_scope(realm_a):
        assert Application.objects.get(name="Job").grant_types == ["client_credentials"]
        assert not ClientSecret.objects.filter(application__name="App").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "web", "name": "", "redirect_uris": "https://a.example/cb"}, "required"),
        ({"type": "web", "name": "Shop", "redirect_uris": ""}, "at least one redirect URI"),
        ({"type": "web", "name": "Shop", "redirect_uris": "http://a.example/cb"}, "uses http"),
        ({"type": "other", "name": "Shop"}, "valid choice"),
    ],
)
def test_bad_input_names_the_field_and_adds_nothing(
    owner: RealmClient, realm_a: Realm, fields: dict[str, str], message: str
) -> None:
    answer = owner.post("/console/applications/new", fields)
    assert answer.status_code == 422
    assert message in answer.text
    with realm_scope(realm_a):
        assert not Application.objects.exists()


def test_redirects_save_and_a_stale_form_overwrites_nothing(owner: RealmClient, realm_a: Realm, app_a: App) -> None:
    first = {"redirect_uris": "https://app.example/one", "version": "1"}
    assert owner.post(path(app_a[0], "/redirects"), first).status_code == 302
    stale = owner.post(path(app_a[0], "/redirects"), {"redirect_uris": "https://app.example/two", "version": "1"})
    assert stale.status_code == 409
    assert "changed meanwhile" in stale.text
    with realm_scope(realm_a):
        assert uris_of(app_a[0]) == ["https://app.example/one"]


def test_scopes_and_details_save(owner: RealmClient, realm_a: Realm, app_a: App) -> None:
    assert owner.post(path(app_a[0], "/scopes"), {"scopes": ["openid", "email"], "version": "1"}).status_code == 302
    answer = owner.post(
        path(app_a[0], "/edit"),
        {
            "name": "Portal",
            "publisher": "Example Ltd",
            "grant_types": ["authorization_code"],
            "token_endpoint_auth_method": "client_secret_post",
            "first_party": "on",
            "skip_consent": "on",
            "version": "2",
        },
    )
    assert answer.status_code == 302
    with realm_scope(realm_a):
        application = Application.objects.get(pk=app_a[0].pk)
    assert (application.scopes, application.publisher, application.skip_consent) == (
        ["openid", "email"],
        "Example Ltd",
        True,
    )


def test_a_secret_is_added_shown_once_and_the_old_one_revoked(owner: RealmClient, realm_a: Realm, app_a: App) -> None:
    application, old = app_a
    dialog = owner.get(path(application, "/secrets/add"), **HTMX)
    assert "shown once" in dialog.text
    answer = owner.post(path(application, "/secrets/add"), {"days": "90"}, **HTMX)
    new = answer.text.split("data-secret>")[1].split("<")[0]
    with realm_scope(realm_a):
        kept = verify_secret(application, new)
        assert kept is not None
        assert kept.expires_at is not None
        former = verify_secret(application, old)
        assert former is not None
    assert owner.post(path(application, "/secrets/add"), {"days": "0"}).status_code == 409
    revoke = path(application, f"/secrets/{former.pk}/revoke")
    assert former.hint in owner.get(revoke).text
    assert owner.post(revoke).status_code == 302
    with realm_scope(realm_a):
        assert verify_secret(application, old) is None
    assert owner.get(revoke).status_code == 404


def test_disabling_says_what_it_hits_and_can_be_taken_back(owner: RealmClient, realm_a: Realm, app_a: App) -> None:
    assert "Nobody gets into it" in owner.get(path(app_a[0], "/disable"), **HTMX).text
    assert owner.post(path(app_a[0], "/disable")).status_code == 302
    assert owner.post(path(app_a[0], "/disable")).status_code == 409
    assert owner.post(path(app_a[0], "/enable")).status_code == 302
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).is_active


def test_deleting_wants_the_name_and_warns_when_more_is_hit_than_was_seen(
    owner: RealmClient, realm_a: Realm, app_a: App
) -> None:
    dialog = owner.get(path(app_a[0], "/delete"), **HTMX)
    assert "Disable instead" in dialog.text
    assert owner.post(path(app_a[0], "/delete"), {"confirm": "portal"}).status_code == 422
    answer = owner.post(path(app_a[0], "/delete"), {"confirm": "Portal", "seen_people": "0"})
    assert answer.status_code == 302
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).status == ApplicationStatus.DELETED
    assert owner.get(path(app_a[0])).status_code == 404


def test_ti_04_a_selection_is_disabled_whole_or_not_at_all(
    owner: RealmClient, realm_a: Realm, app_a: App, app_b: App
) -> None:
    mine, theirs = (public_id("application", app[0].pk) for app in (app_a, app_b))
    assert owner.get("/console/applications/disable", {"ids": [mine, theirs]}).status_code == 404
    assert owner.post("/console/applications/disable", {"ids": [mine, theirs], "select_across": "1"}).status_code == 404
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).is_active
    assert owner.post("/console/applications/disable", {"ids": [mine]}).status_code == 302
    with realm_scope(realm_a):
        assert not Application.objects.get(pk=app_a[0].pk).is_active
    assert Application.all_realms.get(pk=app_b[0].pk).is_active


def test_apis_and_scopes_are_added_explained_and_removed(owner: RealmClient, realm_a: Realm) -> None:
    assert "No APIs yet" in owner.get("/console/apis").text
    assert owner.post("/console/apis/new", {"name": "Orders", "identifier": "orders"}).status_code == 422
    assert owner.post("/console/apis/new", {"name": "Orders", "identifier": "https://api.example"}).status_code == 302
    with realm_scope(realm_a):
        server = ResourceServer.objects.get()
    add = f"/console/apis/{server.pk}/scopes/new"
    assert owner.post(add, {"name": "two words", "title": "x"}).status_code == 422
    assert owner.post(add, {"name": "orders.read", "title": "See your orders"}).status_code == 302
    with realm_scope(realm_a):
        scope = Scope.objects.get(name="orders.read")
    assert owner.post(f"/console/apis/scopes/{scope.pk}/edit", {"title": "Look at orders"}).status_code == 302
    assert "Look at orders" in owner.get("/console/apis").text
    assert "orders.read" in owner.get(f"/console/apis/scopes/{scope.pk}/delete", **HTMX).text
    assert owner.post(f"/console/apis/scopes/{scope.pk}/delete").status_code == 302
    assert owner.post(f"/console/apis/{server.pk}/delete").status_code == 302
    with realm_scope(realm_a):
        assert not ResourceServer.objects.exists()


def test_an_application_is_let_act_for_an_api_and_stopped_again(
    owner: RealmClient, auditor: RealmClient, realm_a: Realm, app_a: App, app_b: App
) -> None:
    assert owner.post("/console/apis/new", {"name": "Orders", "identifier": "https://api.example"}).status_code == 302
    with realm_scope(realm_a):
        server = ResourceServer.objects.get()
    add, remove = f"/console/apis/{server.pk}/clients/add", f"/console/apis/{server.pk}/clients/{app_a[0].pk}/remove"
    dialog = owner.get(add, **HTMX)
    assert str(app_a[0].pk) in dialog.text
    assert str(app_b[0].pk) not in dialog.text
    assert owner.post(add, {"application": str(app_b[0].pk)}).status_code == 422
    assert owner.get(remove).status_code == 404
    assert auditor.post(add, {"application": str(app_a[0].pk)}).status_code == 403
    assert owner.post(add, {"application": str(app_a[0].pk)}).status_code == 302
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).acts_for_id == server.pk
    page = owner.get("/console/apis").text
    assert "portal" in page
    assert remove in page
    assert remove not in auditor.get("/console/apis").text
    assert "introspect" not in owner.get(remove, **HTMX).text
    assert auditor.post(remove).status_code == 403
    assert owner.post(remove).status_code == 302
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).acts_for_id is None


WRITES = ["/edit", "/disable", "/enable", "/delete", "/secrets/add"]


@pytest.mark.parametrize("rest", WRITES)
def test_one_who_may_only_read_is_refused_by_name_of_the_permission(
    auditor: RealmClient, realm_a: Realm, app_a: App, rest: str
) -> None:
    for answer in (auditor.get(path(app_a[0], rest)), auditor.post(path(app_a[0], rest), {"name": "x"})):
        assert answer.status_code == 403
        assert "applications:" in answer.text
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).name == "Portal"


def test_one_who_may_only_read_sees_no_buttons_that_write(auditor: RealmClient, app_a: App) -> None:
    text = auditor.get(path(app_a[0], "/credentials")).text + auditor.get("/console/applications").text
    assert "secrets/add" not in text
    assert "applications/new" not in text


@pytest.mark.parametrize("rest", [*TABS, *WRITES])
def test_ti_02_an_application_of_another_realm_does_not_exist(owner: RealmClient, app_b: App, rest: str) -> None:
    assert owner.get(path(app_b[0], rest)).status_code == 404
    assert owner.post(path(app_b[0], rest), {"confirm": "Portal"}).status_code in (404, 405)


def test_nobody_is_sent_to_sign_in_and_wrong_verbs_are_refused(
    realm_a: Realm, app_a: App, owner: RealmClient, client_for: Callable[[Realm], RealmClient]
) -> None:
    answer = client_for(realm_a).get(path(app_a[0]))
    assert answer.status_code == 302
    assert "/signin?next=" in answer.headers["Location"]
    assert owner.post(path(app_a[0])).status_code == 405
    assert owner.put(path(app_a[0], "/delete")).status_code == 405


def test_an_application_asks_for_two_factors(owner, app_a, realm_a):
    application = app_a[0]
    assert "two factors, one of them a passkey" in owner.get(path(application, "/edit")).text
    form = {
        "name": application.name,
        "grant_types": application.grant_types,
        "token_endpoint_auth_method": application.token_endpoint_auth_method,
        "required_acr": "urn:realmkeep:acr:2",
    }
    assert owner.post(path(application, "/edit"), form).status_code == 302
    with realm_scope(realm_a):
        application.refresh_from_db()
    assert application.required_acr == "urn:realmkeep:acr:2"
    assert owner.post(path(application, "/edit"), {**form, "required_acr": "urn:other"}).status_code == 422
