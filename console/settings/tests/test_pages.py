"""The settings page: sections that save themselves."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

HTMX = {"HTTP_HX_REQUEST": "true"}
LIFETIMES = {
    "session_idle_lifetime_0": "12",
    "session_idle_lifetime_1": "3600",
    "session_lifetime_0": "7",
    "session_lifetime_1": "86400",
    "access_token_lifetime_0": "10",
    "access_token_lifetime_1": "60",
    "refresh_token_lifetime_0": "30",
    "refresh_token_lifetime_1": "86400",
    "refresh_token_max_lifetime_0": "90",
    "refresh_token_max_lifetime_1": "86400",
    "code_lifetime_0": "60",
    "code_lifetime_1": "1",
}


@pytest.fixture
def owner(realm_a: Realm, owner_a: object) -> RealmClient:
    """A's owner in a browser."""
    return RealmClient(realm_a).sign_in(owner_a)  # type: ignore[arg-type]


def stored(realm: Realm) -> Realm:
    return Realm.objects.get(pk=realm.pk)


def test_the_page_shows_every_section(owner: RealmClient) -> None:
    whole, region = owner.get("/console/settings"), owner.get("/console/settings", **HTMX)
    assert whole.status_code == region.status_code == 200
    for section in ("lifetimes", "branding", "region"):
        assert f'id="section-{section}"' in whole.text
    assert "<html" not in region.text


def test_a_section_saves_itself_and_says_so(owner: RealmClient, realm_a: Realm) -> None:
    answer = owner.post("/console/settings/region", {"language": "en", "time_zone": "Europe/Berlin"}, **HTMX)
    assert answer.status_code == 200
    assert "Saved." in answer.text
    assert "<html" not in answer.text
    assert stored(realm_a).setting("time_zone") == "Europe/Berlin"
    row = AuditEvent.objects.get(realm_id=realm_a.pk, type="realm.settings_changed")
    assert row.payload["changes"] == {"time_zone": ["UTC", "Europe/Berlin"]}


def test_without_scripts_saving_leads_back_to_the_page(owner: RealmClient, realm_a: Realm) -> None:
    answer = owner.post("/console/settings/lifetimes", LIFETIMES)
    assert answer.status_code == 302
    assert stored(realm_a).setting("access_token_lifetime") == 600


@pytest.mark.parametrize(
    ("section", "fields", "message"),
    [
        (
            "lifetimes",
            {**LIFETIMES, "access_token_lifetime_0": "40", "access_token_lifetime_1": "86400"},
            "Choose between",
        ),
        (
            "lifetimes",
            {**LIFETIMES, "session_idle_lifetime_0": "20", "session_idle_lifetime_1": "86400"},
            "longer than",
        ),
        ("lifetimes", {"code_lifetime_0": ""}, "required"),
        ("branding", {"name": "", "accent": "#112233"}, "required"),
        ("branding", {"name": "A", "accent": "red"}, "six hexadecimal digits"),
        ("region", {"language": "xx", "time_zone": "UTC"}, "valid choice"),
    ],
)
def test_bad_values_name_the_field_and_change_nothing(
    owner: RealmClient, realm_a: Realm, section: str, fields: dict[str, str], message: str
) -> None:
    sent = {**LIFETIMES, **fields} if section == "lifetimes" else fields
    answer = owner.post(f"/console/settings/{section}", sent, **HTMX)
    assert answer.status_code == 422
    assert message in answer.text
    assert stored(realm_a).version == realm_a.version


def test_a_stale_form_overwrites_nothing(owner: RealmClient, realm_a: Realm) -> None:
    version = str(stored(realm_a).version)
    owner.post("/console/settings/region", {"language": "en", "time_zone": "Europe/Rome", "version": version})
    answer = owner.post(
        "/console/settings/region", {"language": "en", "time_zone": "Europe/Oslo", "version": version}, **HTMX
    )
    assert answer.status_code == 409
    assert stored(realm_a).setting("time_zone") == "Europe/Rome"


def test_a_shorter_idle_time_says_whom_it_signs_out_before_it_does(
    owner: RealmClient, realm_a: Realm, user_a: object
) -> None:
    RealmClient(realm_a).sign_in(user_a)  # type: ignore[arg-type]
    with realm_scope(realm_a):
        Session.objects.filter(user=user_a).update(last_seen_at=clock.now() - timedelta(hours=2))  # type: ignore[misc]
    shorter = {**LIFETIMES, "session_idle_lifetime_0": "1"}
    asked = owner.post("/console/settings/lifetimes", shorter, **HTMX)
    assert asked.status_code == 422
    assert "1 session has been unused" in asked.text
    assert stored(realm_a).setting("session_idle_lifetime") == 12 * 3600
    assert owner.post("/console/settings/lifetimes", {**shorter, "seen_hit": "1"}, **HTMX).status_code == 200
    assert stored(realm_a).setting("session_idle_lifetime") == 3600


def test_branding_changes_the_stylesheet_of_this_realm_alone(
    owner: RealmClient, realm_a: Realm, realm_b: Realm
) -> None:
    before = RealmClient(realm_b).get("/theme.css").text
    owner.post("/console/settings/branding", {"name": "New name", "accent": "#aa0033", "logo_text": "N"})
    assert stored(realm_a).name == "New name"
    assert RealmClient(realm_b).get("/theme.css").text == before
    assert RealmClient(realm_a).get("/theme.css").text != before


def test_one_who_may_only_read_sees_settings_and_changes_none(realm_a: Realm) -> None:
    client = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    text = client.get("/console/settings").text
    assert "disabled" in text
    assert client.post("/console/settings/region", {"time_zone": "Europe/Oslo"}).status_code == 403
    assert stored(realm_a).setting("time_zone") == "UTC"


def test_wrong_verbs_and_unknown_sections_are_refused(owner: RealmClient) -> None:
    assert owner.get("/console/settings/region").status_code == 405
    assert owner.post("/console/settings/nothing").status_code == 404
