"""Saved views: kept, shared, opened first, renamed, deleted; by whom, and by whom not."""

import pytest

from conftest import make_user
from identity.accounts.commands import save_view
from identity.accounts.models import SavedView
from identity.accounts.rules import MOST_VIEWS
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NEW = "/console/views/new?area=users&status=locked"


def stored(realm, name):
    with realm_scope(realm):
        return SavedView.objects.filter(name=name).first()


def page(view, name=""):
    return f"/console/views/{public_id('view', view.pk)}{name}"


def said(realm, type_):
    return AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("-id").first()


@pytest.fixture
def locked(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return save_view(as_owner_a, area="users", name="Locked out", query="status=locked")


@pytest.fixture
def shared(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return save_view(as_owner_a, area="users", name="Waiting", query="status=invited", shared=True)


@pytest.fixture
def colleague(as_role):
    return as_role("Help desk")


def test_filters_of_a_list_become_a_tab_above_it(as_owner, realm_a):
    assert "Save view…" not in as_owner.get("/console/users").content.decode()
    text = as_owner.get("/console/users?status=locked").content.decode()
    assert "Save view…" in text
    assert "/console/views/new?area=users&amp;status=locked" in text
    response = as_owner.post(NEW, {"name": "Locked out"})
    assert response["Location"] == "/realms/a/console/users?status=locked"
    view = stored(realm_a, "Locked out")
    assert (view.area, view.query, view.shared, view.is_default) == ("users", "status=locked", False, False)
    event = said(realm_a, "view.saved")
    assert event.target_id == view.pk
    assert "Locked" not in str(event.payload)
    text = as_owner.get("/console/users?status=locked").content.decode()
    assert "Locked out" in text
    assert "Save view…" not in text
    assert "Locked out" not in as_owner.get("/console/applications").content.decode()


def test_built_in_views_of_the_trail_stay(as_owner, realm_a, as_owner_a):
    before = as_owner.get("/console/audit").content.decode()
    with realm_scope(realm_a):
        save_view(as_owner_a, area="audit", name="My sign-ins", query="view=signins&q=dana")
    after = as_owner.get("/console/audit").content.decode()
    assert before.count('aria-current="page"') <= after.count('aria-current="page"')
    assert "My sign-ins" in after
    assert "/console/audit?view=signins&amp;q=dana" in after.replace(
        "q=dana&amp;view=signins", "view=signins&amp;q=dana"
    )


def test_pages_and_dialogs_are_pages_and_regions(as_owner, locked):
    pages = {
        "/console/views": "Locked out",
        NEW: "Open the list with it",
        page(locked, "/edit"): "Edit the view Locked out",
        page(locked, "/delete"): "Only the tab goes.",
    }
    for path, expected in pages.items():
        for headers in ({}, HTMX):
            text = as_owner.get(path, headers=headers).content.decode()
            assert expected in text, path
            assert ("<html" in text) is not bool(headers), path


def test_without_any_the_page_says_what_to_do(as_owner):
    assert "No saved views yet" in as_owner.get("/console/views").content.decode()


def test_the_default_opens_the_list_and_all_stays_in_reach(as_owner, realm_a, locked):
    as_owner.post(page(locked, "/default"))
    assert stored(realm_a, "Locked out").is_default
    assert said(realm_a, "view.changed").payload["changes"] == {"is_default": [False, True]}
    response = as_owner.get("/console/users")
    assert response["Location"] == "/realms/a/console/users?status=locked"
    filtered = as_owner.get("/console/users?status=locked").content.decode()
    assert 'href="/realms/a/console/users?all=1"' in filtered
    assert as_owner.get("/console/users?all=1").status_code == 200
    assert as_owner.get("/console/users", headers=HTMX).status_code == 200
    as_owner.post("/console/views/new?area=users&status=disabled", {"name": "Out", "is_default": "on"})
    assert not stored(realm_a, "Locked out").is_default
    as_owner.post(page(stored(realm_a, "Out"), "/default"))
    assert as_owner.get("/console/users").status_code == 200


def test_a_view_is_renamed_and_deleted(as_owner, realm_a, locked):
    assert as_owner.post(page(locked, "/edit"), {"name": ""}).status_code == 422
    as_owner.post(page(locked, "/edit"), {"name": "Kept out"})
    assert stored(realm_a, "Kept out").query == "status=locked"
    as_owner.post(NEW, {"name": "Other"})
    assert as_owner.post(page(locked, "/edit"), {"name": "OTHER"}).status_code == 422
    as_owner.post(page(locked, "/delete"))
    assert stored(realm_a, "Kept out") is None
    assert said(realm_a, "view.deleted").target_id == locked.pk


def test_one_name_for_one_list_and_fifty_at_most(as_owner, realm_a, as_owner_a, locked):
    assert as_owner.post(NEW, {"name": "locked OUT"}).status_code == 422
    with realm_scope(realm_a):
        for number in range(MOST_VIEWS - 1):
            save_view(as_owner_a, area="sessions", name=f"View {number}", query="status=ended")
        with pytest.raises(Conflict):
            save_view(as_owner_a, area="sessions", name="One more", query="status=ended")
    assert as_owner.post(NEW, {"name": "One more"}).status_code == 409


def test_own_views_are_nobody_elses(as_owner, colleague, realm_a, locked):
    assert "Locked out" not in colleague.get("/console/users").content.decode()
    assert "Locked out" not in colleague.get("/console/views").content.decode()
    for path in ("/edit", "/delete"):
        assert colleague.get(page(locked, path)).status_code == 404
    for path in ("/edit", "/delete", "/default"):
        assert colleague.post(page(locked, path), {"name": "Mine"}).status_code == 404
    assert stored(realm_a, "Locked out") is not None


def test_sharing_takes_the_right_to_change_settings(colleague, realm_a, shared):
    text = colleague.get("/console/users").content.decode()
    assert "Waiting" in text
    assert "Share it" not in colleague.get(NEW).content.decode()
    colleague.post(NEW, {"name": "Sneaky", "shared": "on"})
    assert not stored(realm_a, "Sneaky").shared
    for path in ("/edit", "/delete"):
        assert colleague.get(page(shared, path)).status_code == 403
        assert colleague.post(page(shared, path), {"name": "Mine"}).status_code == 403
    assert colleague.post(page(shared, "/default")).status_code == 404
    assert stored(realm_a, "Waiting") is not None


def test_another_admin_changes_a_shared_view_and_makes_it_nobodys_first(as_role, realm_a, shared):
    admin = as_role("Admin")
    admin.post(page(shared, "/edit"), {"name": "Not here yet", "shared": "on", "is_default": "on"})
    view = stored(realm_a, "Not here yet")
    assert (view.shared, view.is_default) == (True, False)


def test_a_view_of_a_list_that_one_may_not_open_is_not_saved(as_role, realm_a):
    manager = as_role("Application manager")
    assert manager.get(NEW).status_code == 403
    assert manager.post(NEW, {"name": "x"}).status_code == 403
    assert manager.get("/console/views/new?area=nothing").status_code == 404
    assert manager.get("/console/views").status_code == 200


def test_ti_02_another_realms_views_are_not_there(as_owner, realm_b, as_owner_b):
    with realm_scope(realm_b):
        other = save_view(as_owner_b, area="users", name="View of B", query="status=locked", shared=True)
    assert "View of B" not in as_owner.get("/console/users").content.decode()
    for path in ("/edit", "/delete"):
        assert as_owner.get(page(other, path)).status_code == 404
    for path in ("/edit", "/delete", "/default"):
        assert as_owner.post(page(other, path), {"name": "Mine"}).status_code == 404
    assert stored(realm_b, "View of B").shared


@pytest.mark.parametrize("query", ["//evil.example=1", "a b=1", "q=" + "x" * 1100])
def test_a_view_leads_nowhere_but_to_its_list(realm_a, as_owner_a, query):
    with realm_scope(realm_a), pytest.raises(Invalid):
        save_view(as_owner_a, area="users", name="Odd", query=query)


def test_a_deleted_person_takes_the_views_along(as_owner, realm_a):
    leaver = make_user(realm_a, "leaver@example.com", role="Help desk")
    RealmClient(realm_a).sign_in(leaver).post(NEW, {"name": "Gone soon"})
    assert stored(realm_a, "Gone soon") is not None
    as_owner.post(f"/console/users/{public_id('user', leaver.pk)}/delete", {"confirm": "leaver@example.com"})
    assert stored(realm_a, "Gone soon") is None


def test_an_operator_on_a_visit_keeps_nothing_and_sees_what_is_shared(realm_a, platform, operator, shared, locked):
    from identity.access.commands import open_visit
    from identity.gate.actors import actor_for_user
    from identity.sessions.models import Session

    client = RealmClient(platform).sign_in(operator)
    with realm_scope(platform):
        actor = actor_for_user(operator, session=Session.objects.get(user=operator))
        open_visit(actor, realm_id=realm_a.pk, reason="Looking at a ticket")
    visiting = RealmClient(realm_a)
    visiting.cookies.update(client.cookies)
    text = visiting.get("/console/users?status=locked").content.decode()
    assert "Waiting" in text
    assert "Locked out" not in text
    assert "Save view…" not in text
    assert visiting.post(NEW, {"name": "Mine"}).status_code == 403
