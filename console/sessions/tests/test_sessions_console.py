"""Sessions in the console: found by person, address and application; one, some or all of them ended."""

from datetime import timedelta
from uuid import uuid4

import pytest

from conftest import make_application, make_user
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.oauth.models import RefreshFamily
from identity.sessions.commands import note_application_use
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def sid(session):
    return public_id("session", session.pk)


def make_session(realm, user, ip="203.0.113.7", **fields):
    now = clock.now()
    with realm_scope(realm):
        return Session.objects.create(
            key_hash=uuid4().bytes + b"x" * 17,
            user=user,
            sid=uuid4(),
            ip=ip,
            user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0",
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=1),
            **fields,
        )


def make_family(realm, user, application, session):
    now = clock.now()
    with realm_scope(realm):
        return RefreshFamily.objects.create(
            user=user,
            application=application,
            session=session,
            offline=True,
            created_at=now,
            expires_at=now + timedelta(days=30),
        )


@pytest.fixture
def theirs(realm_a, user_a):
    """Dana's session."""
    return make_session(realm_a, user_a)


def state(realm, session):
    with realm_scope(realm):
        return Session.objects.get(pk=session.pk).status


def test_list_and_detail_are_pages_and_regions(as_owner, theirs):
    for path in ("/console/sessions", f"/console/sessions/{sid(theirs)}", f"/console/sessions/{sid(theirs)}/end"):
        for headers in ({}, HTMX):
            text = as_owner.get(path, headers=headers).content.decode()
            assert "Dana Okafor" in text, path
            assert "203.0.113.7" in text, path
            assert "Firefox on Linux" in text, path
            assert ("<html" in text) is not bool(headers), path


def test_sessions_are_found_by_person_address_and_application(as_owner, realm_a, user_a, theirs):
    other = make_user(realm_a, "olaf@example.com", name="Olaf Other")
    elsewhere = make_session(realm_a, other, ip="192.0.2.9")
    portal, _ = make_application(realm_a)
    with realm_scope(realm_a):
        note_application_use(elsewhere, application=portal)

    def found(query):
        text = as_owner.get(f"/console/sessions?{query}", headers=HTMX).content.decode()
        return {name for name in ("Dana Okafor", "Olaf Other") if f">{name}</a>" in text}

    assert found("") == {"Dana Okafor", "Olaf Other"}
    assert found("q=olaf") == {"Olaf Other"}
    assert found("q=192.0.2.9") == {"Olaf Other"}
    assert found("q=203.0.113.0/24") == {"Dana Okafor"}
    assert found(f"q={sid(theirs)}") == {"Dana Okafor"}
    assert found(f"application={public_id('application', portal.pk)}") == {"Olaf Other"}
    assert found(f"user={public_id('user', user_a.pk)}") == {"Dana Okafor"}
    assert found("status=ended") == set()
    with clock.clock_at(clock.now() + timedelta(hours=13)):
        assert state(realm_a, theirs) == "active", "nobody has written that it ran out"


def test_a_session_that_ran_out_is_not_called_active(as_owner, realm_a, user_a):
    make_session(realm_a, user_a, status="ended", end_reason="ended_by_admin", status_changed_at=clock.now())
    text = as_owner.get("/console/sessions?status=ended").content.decode()
    assert "Ended" in text
    assert "Dana Okafor" in text


def test_ending_one_counts_what_it_hits_and_revokes_it(as_owner, realm_a, user_a, theirs):
    portal, _ = make_application(realm_a)
    family = make_family(realm_a, user_a, portal, theirs)
    dialog = as_owner.get(f"/console/sessions/{sid(theirs)}/end").content.decode()
    assert "Revoke refresh tokens" in dialog
    assert "Access tokens already issued last up to 15 min." in dialog
    response = as_owner.post(f"/console/sessions/{sid(theirs)}/end")
    assert response["Location"].endswith("/console/sessions")
    assert state(realm_a, theirs) == "ended"
    with realm_scope(realm_a):
        family.refresh_from_db()
    assert family.status == "revoked"
    said = AuditEvent.objects.get(realm_id=realm_a.pk, type="session.ended")
    assert (said.target_id, said.payload["reason"]) == (theirs.pk, "ended_by_admin")
    text = as_owner.get(f"/console/sessions/{sid(theirs)}").content.decode()
    assert "ended by an admin" in text


def test_a_selection_ends_and_the_result_counts(as_owner, realm_a, user_a, theirs):
    second = make_session(realm_a, user_a)
    over = make_session(realm_a, user_a, status="ended")
    ids = [sid(each) for each in (theirs, second, over)]
    dialog = as_owner.get("/console/sessions/end", {"ids": ids}).content.decode()
    assert "End 3 sessions?" in dialog
    text = as_owner.post("/console/sessions/end", {"ids": ids}, follow=True).content.decode()
    assert "2 of 3 sessions ended." in text
    assert state(realm_a, second) == "ended"


def test_ti_04_a_foreign_id_refuses_the_whole_selection(as_owner, realm_a, realm_b, user_b, theirs):
    foreign = make_session(realm_b, user_b)
    ids = {"ids": [sid(theirs), sid(foreign)], "select_across": "1"}
    for ask in (as_owner.get, as_owner.post):
        assert ask("/console/sessions/end", ids).status_code == 404
    assert state(realm_a, theirs) == state(realm_b, foreign) == "active"


def test_ending_all_of_an_application_ends_the_sessions_that_used_it(as_owner, realm_a, user_a, theirs):
    portal, _ = make_application(realm_a)
    with realm_scope(realm_a):
        note_application_use(theirs, application=portal)
    family = make_family(realm_a, user_a, portal, theirs)
    unrelated = make_session(realm_a, user_a)
    public = public_id("application", portal.pk)
    text = as_owner.get(f"/console/sessions?application={public}").content.decode()
    assert "Sign everybody out of Portal" in text
    dialog = as_owner.get(f"/console/sessions/of/{public}/end").content.decode()
    assert "End 1 session" in dialog
    as_owner.post(f"/console/sessions/of/{public}/end")
    with realm_scope(realm_a):
        family.refresh_from_db()
    assert family.status == "revoked"
    assert (state(realm_a, theirs), state(realm_a, unrelated)) == ("ended", "active")
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="application.sessions_ended").exists()


def test_se_05_an_ended_session_is_nobody_at_the_next_request(as_owner, realm_a, user_a):
    client = RealmClient(realm_a).sign_in(user_a)
    assert client.get("/account/").status_code == 200
    with realm_scope(realm_a):
        session = Session.objects.get(user=user_a)
    as_owner.post(f"/console/sessions/{sid(session)}/end")
    assert client.get("/account/").status_code == 302


def test_ac_04_reading_is_not_ending(as_role, as_nobody, realm_a, theirs):
    portal, _ = make_application(realm_a)
    auditor = as_role("Auditor")
    ends = [
        f"/console/sessions/{sid(theirs)}/end",
        "/console/sessions/end",
        f"/console/sessions/of/{public_id('application', portal.pk)}/end",
    ]
    for path in ("/console/sessions", f"/console/sessions/{sid(theirs)}"):
        assert auditor.get(path).status_code == 200, path
        assert as_nobody.get(path).status_code == 403, path
        assert auditor.post(path).status_code == 405, path
    assert ends[0] not in auditor.get(f"/console/sessions/{sid(theirs)}").content.decode()
    for path in ends:
        for client in (auditor, as_nobody):
            assert client.get(path).status_code == 403, path
            assert client.post(path, {"ids": [sid(theirs)]}).status_code == 403, path
    assert state(realm_a, theirs) == "active"


def test_ti_02_ti_08_another_realms_session_is_not_there(as_owner, realm_b, user_b):
    foreign = make_session(realm_b, user_b)
    application, _ = make_application(realm_b)
    paths = [f"/console/sessions/{sid(foreign)}", f"/console/sessions/{sid(foreign)}/end"]
    paths.append(f"/console/sessions/of/{public_id('application', application.pk)}/end")
    for headers in ({}, HTMX):
        for path in paths:
            assert as_owner.get(path, headers=headers).status_code == 404, path
        for path in paths[1:]:
            assert as_owner.post(path, headers=headers).status_code == 404, path
    assert state(realm_b, foreign) == "active"


def test_one_who_sees_no_people_gets_no_links_to_them(as_owner, realm_a, theirs):
    assert "/console/users/usr_" in as_owner.get("/console/sessions").content.decode()


def test_ac_02_a_help_desk_ends_no_session_of_an_owner(client_for, realm_a, owner_a, user_a, theirs):
    owners = make_session(realm_a, owner_a)
    application, _ = make_application(realm_a)
    with realm_scope(realm_a):
        note_application_use(owners, application=application)
    desk = client_for(realm_a).sign_in(make_user(realm_a, "desk@example.com", role="Help desk"))
    boss = client_for(realm_a).sign_in(make_user(realm_a, "app@example.com", role="Security analyst"))
    answers = [
        desk.post(f"/console/sessions/{sid(owners)}/end"),
        desk.post("/console/sessions/end", {"ids": [sid(owners), sid(theirs)]}),
        desk.post(f"/console/users/{public_id('user', owner_a.pk)}/end-sessions"),
        boss.post(f"/console/sessions/of/{public_id('application', application.pk)}/end"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    with realm_scope(realm_a):
        assert set(Session.objects.filter(pk__in=[owners.pk, theirs.pk]).values_list("status")) == {("active",)}
    assert not AuditEvent.objects.filter(realm_id=realm_a.pk, type="session.ended").exists()
    text = desk.post(
        "/console/users/end-sessions",
        {"ids": [public_id("user", owner_a.pk), public_id("user", user_a.pk)]},
        follow=True,
    ).content.decode()
    assert "1 session ended. Olivia Owner: Your role does not allow this." in text


def test_a_session_that_somebody_else_ended_meanwhile_is_told_as_such(client_for, realm_a, owner_a, theirs):
    client = client_for(realm_a).sign_in(owner_a)
    assert client.post(f"/console/sessions/{sid(theirs)}/end").status_code == 302
    again = client.post(f"/console/sessions/{sid(theirs)}/end")
    assert again.status_code == 409
    assert "This session has ended already." in again.content.decode()
