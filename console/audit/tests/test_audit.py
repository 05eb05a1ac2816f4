"""The trail in the console: filters, drawer, event, export."""

import asyncio
import csv
import io
import json

import pytest
from django.test import AsyncRequestFactory

from conftest import make_user
from console.audit.export import download
from identity.audit.commands import Export
from identity.audit.files import COLUMNS, plain_cell
from identity.audit.models import AuditEvent
from identity.audit.record import record
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id, uuid7
from identity.kernel.origin import Origin
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.security.events import AlertDismissed, AlertRaised

pytestmark = pytest.mark.django_db
DRAWER = {"HX-Request": "true", "HX-Target": "drawer"}
RESULTS = {"HX-Request": "true", "HX-Target": "results"}


@pytest.fixture
def owner(realm_a, owner_a, client_for):
    return client_for(realm_a).sign_in(owner_a)


@pytest.fixture
def nina(realm_a: Realm) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        realm_id=realm_a.pk,
        id=uuid7(),
        home_realm_id=realm_a.pk,
        session_id=uuid7(),
        request_id="req-7",
        origin=Origin("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"),
        name="Nina Novak",
        email="nina@example.com",
    )


@pytest.fixture
def dismissed(nina: Actor) -> AuditEvent:
    return record(nina, AlertDismissed(target_id=uuid7(), number=41, note="a drill"))


def evt(row: AuditEvent) -> str:
    return public_id("event", row.pk)


def text(client, path: str, **more) -> str:
    response = client.get(path, **more)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def test_the_list_says_what_happened_in_sentences(owner, dismissed):
    html = text(owner, "/console/audit")
    assert "dismissed" in html
    assert "ALR-41" in html
    assert "203.0.113.7" in html


@pytest.mark.parametrize(
    "query",
    ["q=203.0.113.7", "q=nina@example.com", "q=NINA%40example.com", "about=alert", "type=alert.dismissed",
     "address=203.0.113.7", "when=hour", "outcome=success&about=alert", "severity=low&about=alert", "view=all",
     "view=changes", "q={actor}", "actor={actor}", "target={target}", "session={session}", "q={target}"],
)  # fmt: skip
def test_each_filter_finds_the_event(owner, dismissed, query):
    query = query.format(
        actor=public_id("user", dismissed.actor_id),
        target=public_id("alert", dismissed.target_id),
        session=public_id("session", dismissed.session_id),
    )
    assert "ALR-41" in text(owner, f"/console/audit?{query}")


@pytest.mark.parametrize(
    "query",
    ["q=198.51.100.1", "q=nobody@example.com", "about=consent", "type=user.created", "outcome=denied", "view=signins",
     "view=machines", "severity=critical", "until=2001-01-01", "since=2999-01-01", "actor=usr_x", "session=nonsense",
     "target=evt_aaaaaaaaaaaaaaaaaaaaaaaaaa"],
)  # fmt: skip
def test_each_filter_leaves_it_out(owner, dismissed, query):
    assert "ALR-41" not in text(owner, f"/console/audit?{query}")


@pytest.mark.parametrize(
    "query",
    [
        "since=0000-00-00",
        "until=9999-12-31",
        "q=%00",
        "after=x",
        "when=x&about=x",
        "view=x",
        "q=" + "%F0%9F%98%80" * 60,
    ],
)
def test_in_10_nonsense_in_the_address_is_no_error(owner, dismissed, query):
    text(owner, f"/console/audit?{query}")


def test_results_come_alone_to_htmx(owner, dismissed):
    part = text(owner, "/console/audit?about=alert", headers=RESULTS)
    assert "<!doctype" not in part.lower()
    assert "ALR-41" in part


def test_pages_follow_one_another_without_a_gap(owner, realm_a):
    for number in range(60):
        record(system_actor(realm_a.pk), AlertRaised(number=1000 + number))
    html = text(owner, "/console/audit?type=alert.raised")
    older = next(part for part in html.split('"') if "after=" in part).replace("&amp;", "&")
    rest = text(owner, older)
    assert "ALR-1059" in html
    assert "ALR-1010" in html
    assert "ALR-1009" in rest
    assert "ALR-1000" in rest
    assert "ALR-1010" not in rest


def test_the_drawer_and_the_page_show_one_event(owner, dismissed):
    drawer = text(owner, f"/console/audit?event={evt(dismissed)}", headers=DRAWER)
    assert "<!doctype" not in drawer.lower()
    page = text(owner, f"/console/audit/{evt(dismissed)}")
    for html in (drawer, page, text(owner, f"/console/audit?event={evt(dismissed)}")):
        for shown in ("Nina Novak", "alert.dismissed", "203.0.113.7", "Firefox on Linux", "req-7", "a drill"):
            assert shown in html


def test_a_change_shows_before_and_after(owner, as_owner_a, realm_a):
    with realm_scope(realm_a):
        change_realm_settings(as_owner_a, changes={"access_token_lifetime": 600})
    row = AuditEvent.objects.filter(realm_id=realm_a.pk, type="realm.settings_changed").latest("id")
    html = text(owner, f"/console/audit/{evt(row)}")
    assert "15 min" in html
    assert "10 min" in html


def test_around_an_event_stands_what_the_same_session_did(owner, nina, dismissed):
    record(nina, AlertDismissed(number=42))
    assert "ALR-42" in text(owner, f"/console/audit/{evt(dismissed)}")


def test_ti_02_another_realms_event_is_not_found(client_for, realm_b, owner_b, dismissed):
    client = client_for(realm_b).sign_in(owner_b)
    assert client.get(f"/console/audit/{evt(dismissed)}").status_code == 404
    assert client.get(f"/console/audit?event={evt(dismissed)}").status_code == 404
    assert client.get(f"/console/audit?event={evt(dismissed)}", headers=DRAWER).status_code == 404
    assert "ALR-41" not in text(client, "/console/audit?view=all")


@pytest.mark.parametrize("path", ["/console/audit", "/console/audit/evt_x", "/console/audit/export"])
def test_the_trail_needs_its_permission(client_for, realm_a, path):
    desk = client_for(realm_a).sign_in(make_user(realm_a, "desk@example.com", role="Help desk"))
    assert desk.get(path).status_code == 403


# --- export -------------------------------------------------------------------------------------------------------


def exported(client, file_format: str, query: str = "type=alert.dismissed") -> str:
    response = client.post(f"/console/audit/export?{query}", {"format": file_format})
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    return b"".join(response.streaming_content).decode()


def test_the_dialog_says_how_many_rows_leave(owner, dismissed):
    assert "1 event matches." in text(owner, "/console/audit/export?type=alert.dismissed")


def test_csv_has_the_matching_rows_and_the_export_is_recorded(owner, realm_a, dismissed):
    (row,) = csv.DictReader(io.StringIO(exported(owner, "csv")))
    assert tuple(row) == COLUMNS
    assert (row["id"], row["actor_name"], row["address"]) == (evt(dismissed), "Nina Novak", "203.0.113.7")
    event = AuditEvent.objects.filter(realm_id=realm_a.pk, type="audit.exported").latest("id")
    assert event.payload == {"count": 1, "format": "csv"}


def test_json_is_a_list_of_whole_events(owner, dismissed):
    (row,) = json.loads(exported(owner, "json"))
    assert row["details"] == dismissed.payload
    assert json.loads(exported(owner, "json", "type=key.retired")) == []


def test_ac_13_a_name_that_is_a_formula_is_text_in_the_file(owner, nina):
    from dataclasses import replace

    record(replace(nina, name="=cmd|' /C calc'!A0"), AlertDismissed(number=43))
    (row,) = csv.DictReader(io.StringIO(exported(owner, "csv")))
    assert row["actor_name"].startswith("'=cmd")


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", " =1", "\t=1", "\rx", "＝1"])
def test_ac_13_every_way_to_begin_a_formula_is_escaped(value):
    assert plain_cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", "Nina", "a=b", "203.0.113.7"])
def test_other_cells_stay_as_they_are(value):
    assert plain_cell(value) == value


def test_exporting_needs_its_own_permission(client_for, realm_a, dismissed, as_owner_a):
    from identity.access.commands import assign_role, create_role

    with realm_scope(realm_a):
        role = create_role(as_owner_a, kind="console", name="Reader", permissions=["console:open", "audit:read"])
        user = make_user(realm_a, "reader@example.com")
        assign_role(as_owner_a, user_id=user.pk, role_id=role.pk)
    reader = client_for(realm_a).sign_in(user)
    assert "Export" not in text(reader, "/console/audit")
    assert reader.post("/console/audit/export", {"format": "csv"}).status_code == 403


def test_a_format_that_does_not_exist_is_refused(owner, dismissed):
    assert owner.post("/console/audit/export", {"format": "exe"}).status_code == 422


def test_an_async_server_streams_it_as_well(realm_a):
    request = AsyncRequestFactory().get("/")
    request.realm = realm_a

    async def whole() -> str:
        response = download(request, Export(0, iter([])), "json", "en")
        return b"".join([piece async for piece in response.streaming_content]).decode()

    assert json.loads(asyncio.run(whole())) == []
