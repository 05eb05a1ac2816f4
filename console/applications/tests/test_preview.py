"""The preview of tokens: the claims that are really issued, why roles yield nothing, and who may not see it."""

import html
import json
import re
from urllib.parse import urlencode

import pytest

from conftest import actor_of, make_application, make_user
from identity.access.commands import assign_role, create_role, grant_object, set_role_requirements
from identity.accounts.commands import define_attribute, disable_user, set_attributes
from identity.accounts.models import User
from identity.applications.commands import change_application, disable_application
from identity.audit.models import AuditEvent
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.oauth.models import Grant, RefreshFamily
from identity.oauth.tests.flows import Flow
from identity.realms.commands import change_realm_settings
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

NEW_EACH_TIME = {"jti", "sid", "fid", "exp", "iat", "auth_time", "at_hash", "nonce"}


def path(application, user=None, **more):
    to = f"/console/applications/{public_id('application', application.pk)}/preview"
    said = {"user": public_id("user", user.pk)} if user is not None else {}
    return f"{to}?{urlencode(said | more, doseq=True)}"


def shown(text, kind):
    """The JSON of one of the three parts; None if it isn't there."""
    found = re.search(rf'aria-label="{kind}"[^>]*>(.*?)</pre>', text, re.DOTALL)
    return json.loads(html.unescape(found[1])) if found else None


def lasting(claims):
    return {name: value for name, value in claims.items() if name not in NEW_EACH_TIME}


@pytest.fixture
def buyer(realm_a, app_a, user_a):
    """Dana's role at the portal, which counts only with a confirmed number and a second factor."""
    with realm_scope(realm_a):
        system = system_actor(realm_a.pk)
        role = create_role(system, name="buyer", kind="application", application_id=app_a[0].pk)
        set_role_requirements(system, role_id=role.pk, requirements=["verified_phone", "second_factor"])
        assign_role(system, user_id=user_a.pk, role_id=role.pk)
        plain = create_role(system, name="reader", kind="application")
        assign_role(system, user_id=user_a.pk, role_id=plain.pk)
    return role


@pytest.fixture
def tier(realm_a, user_a):
    """An attribute of Dana's that is released with the profile."""
    with realm_scope(realm_a):
        system = system_actor(realm_a.pk)
        attribute = define_attribute(system, name="tier", label="Tier", type="number", claim="tier", scope="profile")
        set_attributes(system, user_id=user_a.pk, values={"tier": 3})
    return attribute


def test_it_shows_the_claims_that_are_issued_and_says_where_each_comes_from(
    as_owner, realm_a, app_a, user_a, buyer, tier
):
    flow = Flow(realm_a, *app_a).sign_in(user_a).consented(user_a)
    issued = flow.tokens(scope="openid profile email")
    scopes = ["openid", "profile", "email"]
    text = as_owner.get(path(app_a[0], user_a, chosen="1", scope=scopes, way="password")).text
    for kind in ("id_token", "access_token"):
        real = flow.decoded(issued[kind]).claims
        assert lasting(shown(text, kind)) == lasting(real)
        assert set(real) - set(shown(text, kind)) <= {"at_hash", "nonce"}
    assert shown(text, "userinfo") == flow.userinfo(issued["access_token"]).json()
    assert shown(text, "id_token")["tier"] == 3
    assert "The attribute “Tier”." in text
    # A role without requirements counts; the other one says what it waits for, and is in no token.
    assert shown(text, "id_token")["roles"] == ["reader"]
    assert "Yields nothing until there is a confirmed phone number, a second factor" in text


def test_a_role_counts_once_what_it_asks_for_is_shown(as_owner, realm_a, app_a, user_a, buyer):
    User.all_realms.filter(pk=user_a.pk).update(
        phone="+4930123456", phone_verified_at=clock.now(), second_factor_since=clock.now()
    )
    text = as_owner.get(path(app_a[0], user_a)).text
    assert shown(text, "access_token")["roles"] == ["buyer", "reader"]
    assert "Yields nothing" not in text


def test_it_issues_stores_and_says_nothing(as_owner, realm_a, app_a, user_a, buyer):
    as_owner.get(path(app_a[0]))
    before = AuditEvent.objects.count(), Session.all_realms.count()
    assert as_owner.get(path(app_a[0], user_a)).status_code == 200
    assert (AuditEvent.objects.count(), Session.all_realms.count()) == before
    with realm_scope(realm_a):
        assert not Grant.objects.exists()
        assert not RefreshFamily.objects.exists()
        assert not Consent.objects.exists()
    # What is shown is no token: nothing in it is signed.
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", as_owner.get(path(app_a[0], user_a)).text)


def test_scopes_decide_what_is_in_it_and_one_that_it_may_not_ask_for_is_ignored(as_owner, app_a, user_a):
    text = as_owner.get(path(app_a[0], user_a, chosen="1", scope=["email", "phone"])).text
    assert shown(text, "id_token") is None
    assert shown(text, "userinfo") is None
    assert shown(text, "access_token")["scope"] == "email"
    whole = as_owner.get(path(app_a[0], user_a, chosen="1", scope=["openid", "email"])).text
    assert shown(whole, "userinfo") == {"sub": str(user_a.pk), "email": "dana@example.com", "email_verified": True}


@pytest.mark.parametrize(
    ("way", "amr", "acr"),
    [
        ("password", ["pwd"], "urn:realmkeep:acr:1"),
        ("password_app", ["pwd", "otp", "mfa"], "urn:realmkeep:acr:2"),
        ("passkey", ["swk", "user", "mfa"], "urn:realmkeep:acr:3"),
    ],
)
def test_how_the_person_signed_in_is_in_it(as_owner, app_a, user_a, way, amr, acr):
    claims = shown(as_owner.get(path(app_a[0], user_a, way=way)).text, "id_token")
    assert (claims["amr"], claims["acr"]) == (amr, acr)


def test_it_says_why_somebody_gets_nothing(as_owner, as_owner_a, realm_a, app_a, user_a):
    refused = "This person gets no token here now."
    text = as_owner.get(path(app_a[0], user_a)).text
    assert refused not in text
    assert "Is asked to allow" in text
    with realm_scope(realm_a):
        disable_user(as_owner_a, user_id=user_a.pk)
        disable_application(as_owner_a, application_id=app_a[0].pk)
    text = as_owner.get(path(app_a[0], user_a)).text
    assert refused in text
    assert "This person is disabled." in text
    assert "The application is disabled" in text


def test_it_says_what_comes_first(as_owner, as_owner_a, realm_a, app_a, user_a):
    with realm_scope(realm_a):
        change_application(as_owner_a, application_id=app_a[0].pk, required_acr="urn:realmkeep:acr:2")
    User.all_realms.filter(pk=user_a.pk).update(email_verified_at=None, password_change_required="admin")
    text = as_owner.get(path(app_a[0], user_a, way="password")).text
    assert "Has to confirm the email address first." in text
    assert "Has to choose a new password first." in text
    assert "Has to add a factor first" in text
    # By default it is as if the person had shown what the application wants.
    assert shown(as_owner.get(path(app_a[0], user_a)).text, "id_token")["acr"] == "urn:realmkeep:acr:2"


def test_a_second_code_to_the_same_inbox_is_no_way_to_what_the_application_wants(as_owner, realm_a, app_a, user_a):
    with realm_scope(realm_a):
        change_application(system_actor(realm_a.pk), application_id=app_a[0].pk, required_acr="urn:realmkeep:acr:2")
        change_realm_settings(system_actor(realm_a.pk), changes={"second_factor_methods": ["email"]})
    assert "Has to add a factor first" in as_owner.get(path(app_a[0], user_a, way="password")).text
    assert "can’t add" in as_owner.get(path(app_a[0], user_a, way="email_code")).text


def test_a_consent_that_stands_is_not_asked_for_again(as_owner, realm_a, app_a, user_a):
    Flow(realm_a, *app_a).consented(user_a)
    scopes = ["openid", "profile", "email"]
    assert "Is asked to allow" not in as_owner.get(path(app_a[0], user_a, chosen="1", scope=scopes)).text


def test_ti_02_a_person_of_another_realm_has_no_preview_here(as_owner, realm_b, app_a, app_b, user_b, user_a):
    assert as_owner.get(path(app_a[0], user_b)).status_code == 404
    assert as_owner.get(path(app_b[0], user_a)).status_code == 404


def test_ac_04_it_takes_sight_of_the_application_and_of_the_person(realm_a, as_owner_a, app_a, user_a):
    """A manager of this application alone looks at himself, at nobody else, and at no other application."""
    manager = make_user(realm_a, "manager@example.com", name="Max Manager")
    other, _ = make_application(realm_a, client_id="other", name="Other")
    with realm_scope(realm_a):
        grant_object(
            as_owner_a,
            user_id=manager.pk,
            permission=Permission.APPLICATIONS_READ,
            kind="application",
            object_id=app_a[0].pk,
        )
    client = RealmClient(realm_a).sign_in(manager)
    picker = client.get(path(app_a[0])).text
    assert "Max Manager" in picker
    assert "Dana" not in picker
    assert client.get(path(app_a[0], user_a)).status_code == 403
    assert client.get(path(app_a[0], manager)).status_code == 200
    assert client.get(path(other, manager)).status_code == 404
    assert actor_of(manager).can_somewhere(Permission.USERS_READ) is False


def test_ac_04_who_sees_people_and_no_applications_is_refused(as_nobody, as_role, app_a, user_a):
    assert as_nobody.get(path(app_a[0], user_a)).status_code == 403


def test_the_search_finds_people_and_the_region_is_swapped_alone(as_owner, app_a, user_a):
    found = as_owner.get(path(app_a[0], q="dana"), HTTP_HX_REQUEST="true", HTTP_HX_TARGET="matches").text
    assert "Dana Okafor" in found
    assert "<h1" not in found
    region = as_owner.get(path(app_a[0], user_a), HTTP_HX_REQUEST="true", HTTP_HX_TARGET="preview").text
    assert shown(region, "id_token")
    assert "<form" not in region


def test_people_s_pages_lead_to_it(as_owner, app_a, user_a):
    page = as_owner.get(f"/console/users/{public_id('user', user_a.pk)}/access").text
    assert html.escape(path(app_a[0], user_a)) in page
