"""Granting and withdrawing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from conftest import actor_of, make_user
from identity.applications.commands import disable_application
from identity.audit.models import AuditEvent
from identity.consent.commands import grant_consent, withdraw_consent
from identity.consent.models import Consent
from identity.consent.queries import consent_in_force, find_consents, get_consent, own_consents, people_of
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.oauth.models import FamilyStatus, RefreshFamily


@pytest.fixture
def consent(realm_a, app_a, as_user_a) -> Consent:
    """Dana lets the portal have her address."""
    with realm_scope(realm_a):
        return grant_consent(as_user_a, application_id=app_a[0].pk, scopes=["openid", "email"])


def events(realm, event_type: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=event_type).order_by("id"))


def test_granting_stores_and_says_it(realm_a, app_a, user_a, consent: Consent):
    with realm_scope(realm_a):
        found = consent_in_force(user_a.pk, app_a[0].pk)
    assert found == consent
    assert found.scopes == ["email", "openid"]
    (event,) = events(realm_a, "consent.granted")
    assert event.actor_id == event.target_id == user_a.pk
    assert event.payload["scopes"] == ["email", "openid"]
    assert "dana" not in str(event.payload).lower()


def test_the_same_again_says_nothing(realm_a, app_a, as_user_a, consent: Consent):
    with realm_scope(realm_a):
        again = grant_consent(as_user_a, application_id=app_a[0].pk, scopes=["email", "openid"], asked=["email"])
    assert again == consent
    assert len(events(realm_a, "consent.granted")) == 1


def test_nobody_consents_for_somebody_else(realm_a, app_a):
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        grant_consent(system_actor(realm_a.pk), application_id=app_a[0].pk, scopes=["openid"])


def test_only_for_applications_that_can_be_used(realm_a, app_a, app_b, as_user_a):
    with realm_scope(realm_a):
        for application_id in (uuid4(), app_b[0].pk):
            with pytest.raises(NotFound):
                grant_consent(as_user_a, application_id=application_id, scopes=["openid"])
        disable_application(system_actor(realm_a.pk), application_id=app_a[0].pk)
        with pytest.raises(NotFound):
            grant_consent(as_user_a, application_id=app_a[0].pk, scopes=["openid"])


def test_oa_16_withdrawing_ends_the_families(realm_a, app_a, user_a, as_user_a, consent: Consent):
    with realm_scope(realm_a):
        family = RefreshFamily(
            user=user_a, application=app_a[0], created_at=clock.now(), expires_at=clock.now() + timedelta(days=1)
        )
        family.save()
        withdraw_consent(as_user_a, consent_id=consent.pk)
        assert consent_in_force(user_a.pk, app_a[0].pk) is None
        family.refresh_from_db()
        assert (family.status, family.end_reason) == (FamilyStatus.REVOKED, "consent_withdrawn")
        with pytest.raises(Conflict):
            withdraw_consent(as_user_a, consent_id=consent.pk)
    (event,) = events(realm_a, "consent.withdrawn")
    assert event.payload["families"] == 1


def test_withdrawing_for_somebody_else_needs_the_permission(realm_a, as_owner_a, consent: Consent):
    other = actor_of(make_user(realm_a, "other@example.com"))
    auditor = actor_of(make_user(realm_a, "auditor@example.com", role="Auditor"))
    with realm_scope(realm_a):
        with pytest.raises(NotFound):
            withdraw_consent(other, consent_id=consent.pk)
        with pytest.raises(NotFound):
            get_consent(other, consent_id=consent.pk)
        with pytest.raises(PermissionDenied):
            withdraw_consent(auditor, consent_id=consent.pk)
        assert get_consent(auditor, consent_id=consent.pk) == consent
        assert withdraw_consent(as_owner_a, consent_id=consent.pk).withdrawn_by == as_owner_a.id


def test_reading_needs_the_permission_and_finds_by_person_and_application(
    realm_a, app_a, user_a, as_user_a, as_owner_a, consent: Consent
):
    with realm_scope(realm_a):
        with pytest.raises(PermissionDenied):
            find_consents(as_user_a)
        for found in (
            find_consents(as_owner_a),
            find_consents(as_owner_a, user_id=user_a.pk),
            find_consents(as_owner_a, application_id=app_a[0].pk),
            find_consents(as_owner_a, search="Port"),
            find_consents(as_owner_a, search="dana@"),
            own_consents(as_user_a),
        ):
            assert list(found) == [consent]
        assert list(find_consents(as_owner_a, search="nobody")) == []
        assert list(find_consents(as_owner_a, withdrawn=True)) == []
        assert list(own_consents(as_owner_a)) == []
        assert people_of(app_a[0].pk) == 1


def test_ti_02_consents_of_a_are_out_of_reach_in_b(realm_b, as_owner_b, user_b, consent: Consent):
    with realm_scope(realm_b):
        assert list(find_consents(as_owner_b)) == []
        assert list(own_consents(actor_of(user_b))) == []
        for act in (get_consent, withdraw_consent):
            with pytest.raises(NotFound):
                act(as_owner_b, consent_id=consent.pk)
    consent.refresh_from_db(from_queryset=Consent.all_realms)
    assert consent.withdrawn_at is None
