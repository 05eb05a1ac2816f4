"""Consents in the console: found by person and application, and withdrawn for a person."""

import pytest

from conftest import actor_of, make_application, make_user
from identity.access.commands import grant_object
from identity.audit.models import AuditEvent
from identity.consent.commands import grant_consent
from identity.consent.models import Consent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def cid(consent):
    return public_id("consent", consent.pk)


def give(realm, user, application):
    with realm_scope(realm):
        return grant_consent(actor_of(user), application_id=application.pk, scopes=["openid", "email"])


@pytest.fixture
def portal(realm_a):
    return make_application(realm_a)[0]


@pytest.fixture
def consent(realm_a, user_a, portal):
    return give(realm_a, user_a, portal)


def in_force(realm, consent):
    with realm_scope(realm):
        return Consent.objects.get(pk=consent.pk).withdrawn_at is None


def test_list_detail_and_dialog_are_pages_and_regions(as_owner, consent):
    for path in (
        "/console/consents",
        f"/console/consents/{cid(consent)}",
        f"/console/consents/{cid(consent)}/withdraw",
    ):
        for headers in ({}, HTMX):
            response = as_owner.get(path, headers=headers)
            text = response.content.decode()
            assert response.status_code == 200, path
            assert "Portal" in text, path
            assert "Dana Okafor" in text, path
            assert ("<html" in text) is not bool(headers), path


def test_consents_are_found_by_person_and_application(as_owner, realm_a, user_a, consent):
    shop, _ = make_application(realm_a, name="Shop", client_id="shop")
    give(realm_a, make_user(realm_a, "olaf@example.com", name="Olaf Other"), shop)

    def found(query):
        text = as_owner.get(f"/console/consents?{query}", headers=HTMX).content.decode()
        return {name for name in ("Dana Okafor", "Olaf Other") if f">{name}</a>" in text}

    assert found("") == {"Dana Okafor", "Olaf Other"}
    assert found("q=dana") == {"Dana Okafor"}
    assert found("q=shop") == {"Olaf Other"}
    assert found(f"application={public_id('application', shop.pk)}") == {"Olaf Other"}
    assert found("status=withdrawn") == set()
    assert "No consents match." in as_owner.get("/console/consents?q=zzz").content.decode()


def test_withdrawing_says_what_it_hits_and_is_told(as_owner, realm_a, user_a, consent):
    dialog = as_owner.get(f"/console/consents/{cid(consent)}/withdraw").content.decode()
    assert "Access tokens already issued last up to 15 min." in dialog
    response = as_owner.post(f"/console/consents/{cid(consent)}/withdraw", follow=True)
    assert "can no longer use the data of Dana Okafor" in response.content.decode()
    assert not in_force(realm_a, consent)
    said = AuditEvent.objects.get(realm_id=realm_a.pk, type="consent.withdrawn")
    assert said.target_id == user_a.pk
    response = as_owner.post(f"/console/consents/{cid(consent)}/withdraw")
    assert response.status_code == 409
    assert "withdrawn meanwhile" in response.content.decode()
    assert "Withdrawn" in as_owner.get(f"/console/consents/{cid(consent)}").content.decode()
    assert "Dana Okafor" in as_owner.get("/console/consents?status=withdrawn").content.decode()


def test_ac_04_reading_is_not_withdrawing(as_role, as_nobody, realm_a, consent):
    auditor, path = as_role("Auditor"), f"/console/consents/{cid(consent)}/withdraw"
    assert auditor.get("/console/consents").status_code == 200
    assert auditor.post("/console/consents").status_code == 405
    assert path not in auditor.get(f"/console/consents/{cid(consent)}").content.decode()
    for client in (auditor, as_nobody):
        assert client.get(path).status_code == 403
        assert client.post(path).status_code == 403
    assert as_nobody.get("/console/consents").status_code == 403
    assert in_force(realm_a, consent)


def test_ti_02_ti_08_another_realms_consent_is_not_there(as_owner, realm_b, user_b):
    foreign = give(realm_b, user_b, make_application(realm_b)[0])
    for headers in ({}, HTMX):
        assert as_owner.get(f"/console/consents/{cid(foreign)}", headers=headers).status_code == 404
        for ask in (as_owner.get, as_owner.post):
            assert ask(f"/console/consents/{cid(foreign)}/withdraw", headers=headers).status_code == 404
    assert in_force(realm_b, foreign)


def test_who_reads_the_consents_of_one_application_sees_those(realm_a, as_owner_a, user_a, portal, consent):
    shop, _ = make_application(realm_a, name="Shop", client_id="shop")
    other = give(realm_a, user_a, shop)
    reader = make_user(realm_a, "reader@example.com")
    with realm_scope(realm_a):
        grant_object(as_owner_a, user_id=reader.pk, permission="consents:read", kind="application", object_id=portal.pk)
    client = RealmClient(realm_a).sign_in(reader)
    text = client.get("/console/consents").content.decode()
    assert cid(consent) in text
    assert cid(other) not in text
    assert client.get(f"/console/consents/{cid(other)}").status_code == 404
