"""Custom attributes in tokens and userinfo: with their scope alone, with their type, and never over a claim of ours."""

import pytest

from conftest import make_application
from identity.accounts.commands import change_attribute, define_attribute, set_attributes
from identity.accounts.models import Attribute
from identity.applications.commands import change_application
from identity.consent.models import Consent
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.oauth.tests.flows import Flow, answer_of

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def mapped(flow, user_a, late):
    """The same, and Dana was asked about them."""
    with realm_scope(flow.realm):
        Consent.objects.update(attributes=sorted(name.removeprefix("x_") for name in late))
    return late


@pytest.fixture
def late(flow, user_a):
    """Four attributes of four types, released with the profile since Dana allowed that."""
    types = {"tier": "number", "vip": "boolean", "since": "date", "desk": "text"}
    with realm_scope(flow.realm):
        system = system_actor(flow.realm.pk)
        for name, kind in types.items():
            define_attribute(system, name=name, label=name, type=kind, claim=f"x_{name}", scope="profile")
        values = {"tier": 1.5, "vip": False, "since": "2020-01-31", "desk": "B 12"}
        set_attributes(system, user_id=user_a.pk, values=values)
    return {f"x_{name}": value for name, value in values.items()}


def claims_in(flow, scope):
    found = flow.tokens(scope=scope)
    access, said = (flow.decoded(found[name]).claims for name in ("access_token", "id_token"))
    return access, said, flow.userinfo(found["access_token"]).json()


def test_they_come_with_their_scope_and_keep_their_types(flow, mapped):
    access, said, userinfo = claims_in(flow, "openid profile")
    for where in (said, userinfo):
        assert {name: where.get(name) for name in mapped} == mapped
    assert not set(mapped) & set(access)
    _, without, asked = claims_in(flow, "openid email")
    assert not set(mapped) & (set(without) | set(asked))


def test_discovery_names_them(flow, mapped):
    assert set(mapped) <= set(flow.document()["claims_supported"])


def test_a_refreshed_token_and_userinfo_say_what_holds_now(flow, mapped, user_a):
    found = flow.tokens(scope="openid profile")
    with realm_scope(flow.realm):
        system = system_actor(flow.realm.pk)
        set_attributes(system, user_id=user_a.pk, values={"tier": 9, "desk": None})
    assert flow.userinfo(found["access_token"]).json()["x_tier"] == 9
    again = flow.decoded(flow.refresh(found["refresh_token"]).json()["id_token"]).claims
    assert again["x_tier"] == 9
    assert "x_desk" not in again
    with realm_scope(flow.realm):
        tier = Attribute.objects.get(name="tier")
        change_attribute(system, attribute_id=tier.pk, claim="", scope="")
    assert "x_tier" not in flow.userinfo(found["access_token"]).json()


def test_a_scope_of_an_api_puts_them_into_the_access_token(flow, user_a, make_api):
    make_api(flow.realm, "https://api.example", "desks")
    with realm_scope(flow.realm):
        system = system_actor(flow.realm.pk)
        define_attribute(system, name="desk", label="Desk", claim="desk", scope="desks")
        set_attributes(system, user_id=user_a.pk, values={"desk": "B 12"})
        change_application(system, application_id=flow.application.pk, scopes=["openid", "profile", "email", "desks"])
    answer = flow.authorize(scope="openid desks")
    code = flow.decide(answer, narrowable="")
    assert code.status_code == 303
    found = flow.redeem(dict(part.split("=") for part in code["Location"].partition("?")[2].split("&"))["code"]).json()
    assert flow.decoded(found["access_token"]).claims["desk"] == "B 12"
    assert flow.decoded(found["id_token"]).claims["desk"] == "B 12"


def test_ti_19_a_stored_name_of_ours_forges_nothing(flow, mapped, user_a):
    """Were a mapping ever stored past the rules, by hand or by an older version, ours would still win."""
    for name in ("sub", "roles", "acr", "email", "sid"):
        with realm_scope(flow.realm):
            Attribute.objects.filter(name="desk").update(claim=name)
        access, said, userinfo = claims_in(flow, "openid profile")
        for where in (access, said, userinfo):
            assert where.get(name) != "B 12"
        assert said["sub"] == userinfo["sub"] == str(user_a.pk)


def test_ti_02_another_realm_s_mapping_is_not_read(flow, flow_b, user_b, mapped):
    with realm_scope(flow_b.realm):
        system = system_actor(flow_b.realm.pk)
        define_attribute(system, name="tier", label="Tier", type="number")
        set_attributes(system, user_id=user_b.pk, values={"tier": 7})
    _, said, userinfo = claims_in(flow_b, "openid profile")
    assert not set(mapped) & (set(said) | set(userinfo))


def test_the_consent_page_names_what_goes_along(flow, mapped):
    text = flow.authorize(prompt="consent").text
    assert "desk: B 12" in text
    assert "vip: no" in text


# --- what a scope releases has grown since it was allowed -------------------------------------------------------------


def released(flow, found):
    """The custom claims of an ID token and of userinfo."""
    said = flow.decoded(found["id_token"]).claims
    asked = flow.userinfo(found["access_token"]).json()
    return {name for name in [*said, *asked] if name.startswith("x_")}


def test_an_attribute_that_is_mapped_later_reaches_nobody_who_was_not_asked(flow, user_a, request):
    held = flow.tokens(scope="openid profile")
    late = request.getfixturevalue("late")
    assert released(flow, held) == set()
    assert released(flow, flow.refresh(held["refresh_token"]).json()) == set()
    # What the scope gave before goes on, and so does a request without it.
    assert flow.userinfo(held["access_token"]).json()["name"] == "Dana Okafor"
    assert released(flow, flow.tokens(scope="openid email")) == set()
    answer = flow.authorize(scope="openid profile", prompt="none")
    assert "error=consent_required" in answer["Location"]
    page = flow.authorize(scope="openid profile")
    assert "desk: B 12" in page.text
    flow.decide(page, narrowable="")
    with realm_scope(flow.realm):
        consent = Consent.objects.get(withdrawn_at=None)
        assert (sorted(consent.scopes), consent.attributes) == (
            ["email", "openid", "profile"],
            ["desk", "since", "tier", "vip"],
        )
    assert released(flow, flow.tokens(scope="openid profile")) == set(late)
    # One more is asked about again, and one that moves to a scope that was allowed is not new.
    with realm_scope(flow.realm):
        system = system_actor(flow.realm.pk)
        define_attribute(system, name="pet", label="Pet", claim="x_pet", scope="email")
    assert flow.authorize(scope="openid profile").status_code == 303
    assert flow.authorize(scope="openid email").status_code == 200


def test_what_is_mapped_while_the_page_stands_open_was_not_allowed_on_it(flow, user_a, late):
    page = flow.authorize(scope="openid profile")
    with realm_scope(flow.realm):
        system = system_actor(flow.realm.pk)
        define_attribute(system, name="pet", label="Pet", claim="x_pet", scope="profile")
        set_attributes(system, user_id=user_a.pk, values={"pet": "Rex"})
    assert "Rex" not in page.text
    code = answer_of(flow.decide(page, narrowable=""))["code"]
    assert "x_pet" not in flow.decoded(flow.redeem(code).json()["id_token"]).claims
    with realm_scope(flow.realm):
        assert Consent.objects.get(withdrawn_at=None).attributes == ["desk", "since", "tier", "vip"]
    asked_again = flow.authorize(scope="openid profile")
    assert "Pet: Rex" in asked_again.text
    # A form that does not say what it told of told of nothing new.
    flow.decide(asked_again, narrowable="", shown="")
    assert flow.authorize(scope="openid profile").status_code == 200
    flow.decide(asked_again, narrowable="")
    assert flow.authorize(scope="openid profile").status_code == 303


def test_who_keeps_a_scope_to_himself_keeps_what_it_releases(flow, user_a, late):
    page = flow.authorize(scope="openid profile email")
    flow.decide(page, **{"narrowable": "yes", "share.email": "yes"})
    with realm_scope(flow.realm):
        consent = Consent.objects.get(withdrawn_at=None)
        assert ("profile" in consent.scopes, consent.attributes) == (False, [])


def test_the_realm_s_own_application_asks_nobody(realm_a, user_a, flow, late):
    application, secret = make_application(
        realm_a, client_id="own", name="Own", first_party=True, skip_consent=True, scopes=["openid", "profile"]
    )
    own = Flow(realm_a, application, secret, scope="openid profile").sign_in(user_a)
    assert released(own, own.tokens()) == set(late)
    # Nor where somebody had decided before it was the realm's own.
    own.consented(user_a, attributes=None)
    assert released(own, own.tokens()) == set(late)


def test_a_page_of_the_account_says_what_was_allowed_not_what_the_scope_releases_now(flow, user_a, late):
    with realm_scope(flow.realm):
        consent = Consent.objects.get()
    page = flow.browser.get(f"/account/apps/{public_id('consent', consent.pk)}")
    assert "Dana Okafor" in page.text
    assert "B 12" not in page.text
