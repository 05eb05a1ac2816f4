"""All factors: their order, what guards the last one, and what a reset or removal ends."""

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount

from conftest import actor_of, make_user
from identity.access.commands import set_role_requirements
from identity.access.models import Role
from identity.accounts.commands import set_password
from identity.accounts.mails import way_back
from identity.courier.models import Message
from identity.courier.rendering import render
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.mfa import commands, queries
from identity.mfa.errors import LastFactor
from identity.mfa.tests.conftest import add_key, change, himself, is_trusted, said, with_app, with_number
from identity.realms.commands import create_provider, disable_provider
from identity.realms.queries import provider_key
from identity.sessions.models import Device, Session
from identity.sessions.rules import ACR_ONE, ACR_TWO
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db


def test_factors_come_by_strength_then_the_one_used_last(realm_a, user_a, key, codes):
    with realm_scope(realm_a):
        with_number(user_a, codes, "dana.two@example.com", "email")
        with_number(user_a, codes)
        with_app(user_a)
        add_key(realm_a, user_a, key)
        commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        assert [f.kind for f in queries.factors_of(user_a.pk)] == ["passkey", "totp", "sms", "email", "recovery_codes"]


def test_the_last_factor_stays_where_the_realm_demands_one(realm_a, user_a, key):
    with realm_scope(realm_a):
        app = with_app(user_a)
    change(realm_a, second_factor="required")
    with realm_scope(realm_a):
        with pytest.raises(LastFactor):
            commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=app.id)
        add_key(realm_a, user_a, key)
        commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=app.id)


def test_the_last_owner_keeps_what_his_role_asks_for(realm_a, owner_a):
    with realm_scope(realm_a):
        app = with_app(owner_a)
        role = Role.objects.get(name="Owner", kind="console")
        set_role_requirements(system_actor(realm_a.pk), role_id=role.pk, requirements=["second_factor"])
        with pytest.raises(LastFactor):
            commands.remove_factor(himself(owner_a), user_id=owner_a.pk, factor_id=app.id)
    second = make_user(realm_a, "second@example.com", role="Owner")
    with realm_scope(realm_a):
        with_app(second)
        commands.remove_factor(himself(owner_a), user_id=owner_a.pk, factor_id=app.id)


def test_a_new_password_ends_the_trust_of_browsers(realm_a, user_a, as_owner_a):
    change(realm_a, trusted_device_lifetime=3600)
    with realm_scope(realm_a):
        with_app(user_a)
        commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="d")
        assert is_trusted(realm_a, user_a, "d")
        set_password(as_owner_a, user_id=user_a.pk, password="another horse battery")
        assert not is_trusted(realm_a, user_a, "d")


@pytest.mark.parametrize("kind", ["totp", "passkey", "sms", "email", "recovery_codes"])
def test_the_mails_say_what_changed_and_hold_no_secret(realm_a, kind):
    with realm_scope(realm_a):
        for template, values in (
            ("factor_added", {"kind": kind, "factor_name": "Blue <b>key</b>"}),
            ("factor_removed", {"kind": kind, "factor_name": ""}),
            ("factors_reset", {}),
            ("recovery_codes_made", {}),
            ("second_factor_code", {"code": "123456", "minutes": 5, "host": "id.example"}),
        ):
            context = {"name": "Dana", "email": "dana@example.com", "reset_url": "https://id.example/reset", **values}
            found = render(realm_a, "email", template, context, "en")
            assert found.subject
            assert "<b>key" not in found.html
            assert "Realm A" in found.text + found.subject
        text = render(realm_a, "sms", "second_factor_code", {"code": "123456", "minutes": 5, "host": "h"}, "en").text
        assert text.startswith("123456 is your Realm A code")


def test_where_nobody_has_a_password_no_mail_tells_to_choose_one(realm_a, user_a):
    change(realm_a, password_sign_in=False, email_code_sign_in=True)
    with realm_scope(realm_a):
        back = way_back(realm_a)
        for template, values in (
            ("factor_added", {"kind": "totp", "factor_name": ""}),
            ("factor_removed", {"kind": "totp", "factor_name": ""}),
            ("factors_reset", {}),
            ("recovery_codes_made", {}),
            ("identity_linked", {"provider": "Corp"}),
            ("identity_unlinked", {"provider": "Corp"}),
            ("email_change_requested", {"new_email": "new@example.com"}),
            ("account_already_exists", {}),
        ):
            found = render(realm_a, "email", template, {"name": "", "email": user_a.email, **back, **values}, "en")
            for body in (found.text, found.html):
                assert "password" not in body.replace("never asks for passwords", ""), template
                assert "/realms/a/account/security" in body, template


def test_the_last_way_in_stays(realm_a, user_a, key):
    change(realm_a, passkey_sign_in=True)
    with realm_scope(realm_a):
        factor = add_key(realm_a, user_a, key)
        user_a.set_unusable_password()
        user_a.save(update_fields=["password"])
        with pytest.raises(LastFactor):
            commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=factor.id)


def test_a_provider_that_lets_nobody_in_and_a_name_that_is_not_taken_are_no_ways_in(realm_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        provider = create_provider(
            as_owner_a, alias="hub", name="Hub", kind="github", client_id="c", secret="s" * 20, sign_up="link"
        )
        SocialAccount.objects.create(user=user_a, provider=provider_key(provider), uid="u-1")
        assert queries.ways_in(realm_a, user_a) == ["password", "provider"]
        disable_provider(as_owner_a, provider_id=provider.pk)
        assert queries.ways_in(realm_a, user_a) == ["password"]
        user_a.email, user_a.phone = None, "+493012345678"
        assert queries.ways_in(realm_a, user_a) == []
    change(realm_a, phone_sign_in=True)
    with realm_scope(realm_a):
        assert queries.ways_in(realm_a, user_a) == ["password"]


def test_lg_20_removing_a_factor_lowers_the_sessions_that_it_confirmed_at_once(realm_a, user_a):
    client = RealmClient(realm_a).sign_in(user_a)
    with realm_scope(realm_a):
        factor = with_app(user_a)
        session = Session.objects.get(user=user_a)
        session.data = {**session.data, "otp_device_id": factor.device}
        session.amr, session.acr = ["pwd", "otp", "mfa"], ACR_TWO
        session.save()
        commands.remove_factor(himself(user_a), user_id=user_a.pk, factor_id=factor.id)
        session.refresh_from_db()
        assert (session.amr, session.acr) == (["pwd"], ACR_ONE)
    assert client.get("/account/security").status_code == 200


def test_nobody_removes_anothers_factor(realm_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        factor = with_app(user_a)
        with pytest.raises(NotFound):
            commands.remove_factor(as_owner_a, user_id=user_a.pk, factor_id=factor.id)


def test_an_admin_resets_and_the_person_is_told(realm_a, user_a, as_owner_a, key):
    RealmClient(realm_a).sign_in(user_a)
    with realm_scope(realm_a):
        with_app(user_a)
        add_key(realm_a, user_a, key)
        commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="x")
        kinds = commands.reset_factors(as_owner_a, user_id=user_a.pk, reason="Lost the phone")
        assert kinds == ["passkey", "totp"]
        user_a.refresh_from_db()
        assert queries.factors_of(user_a.pk) == []
        assert not queries.has_second_factor(user_a)
        assert not Session.objects.filter(user=user_a, status="active").exists()
        assert Message.objects.filter(template="factors_reset").count() == 1
        with pytest.raises(Conflict):
            commands.reset_factors(as_owner_a, user_id=user_a.pk)
    event = said(realm_a, "factor.reset")[0]
    assert event.payload["kinds"] == ["passkey", "totp"]
    assert "Lost" not in str(event.payload)


def test_who_may_reset(realm_a, realm_b, owner_a, user_a, as_owner_a, as_owner_b, as_user_a):
    help_desk = actor_of(make_user(realm_a, "help@example.com", role="Help desk"))
    auditor = actor_of(make_user(realm_a, "audit@example.com", role="Auditor"))
    with realm_scope(realm_a):
        with_app(user_a)
        with_app(owner_a)
        for actor in (auditor, as_user_a):
            with pytest.raises((PermissionDenied, Conflict, NotFound)):
                commands.reset_factors(actor, user_id=user_a.pk)
        with pytest.raises(PermissionDenied):
            commands.reset_factors(help_desk, user_id=owner_a.pk)
        with pytest.raises(Conflict):
            commands.reset_factors(as_owner_a, user_id=owner_a.pk)
        assert len(queries.factors_of(user_a.pk)) == 1
        commands.reset_factors(help_desk, user_id=user_a.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        commands.reset_factors(as_owner_b, user_id=owner_a.pk)


def test_a_trusted_browser_is_seen_ends_and_is_forgotten_with_a_change_of_factors(realm_a, user_a, key):
    with realm_scope(realm_a):
        with_app(user_a)
        assert commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="d") is None
    change(realm_a, trusted_device_lifetime=3600)
    with realm_scope(realm_a):
        commands.trust_device(himself(user_a), user_id=user_a.pk, device_id="d", label="Firefox")
        assert is_trusted(realm_a, user_a, "d")
        assert not is_trusted(realm_a, user_a, "e")
        assert [d.label for d in queries.trusted_devices(himself(user_a))] == ["Firefox"]
        with clock.clock_at(clock.now() + timedelta(seconds=3601)):
            assert not is_trusted(realm_a, user_a, "d")
        add_key(realm_a, user_a, key)
        assert not is_trusted(realm_a, user_a, "d")
        assert Device.objects.get().trusted_until is None
