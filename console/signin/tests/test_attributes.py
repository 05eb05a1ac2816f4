"""Attributes in the console, at sign-up and on the own account."""

import pytest

from conftest import PASSWORD, make_user
from identity.accounts.commands import define_attribute, set_attributes
from identity.accounts.models import Attribute, User
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
PAGE = "/console/sign-in/attributes"


@pytest.fixture
def owner(realm_a, owner_a):
    return RealmClient(realm_a).sign_in(owner_a)


def define(realm, name, **fields):
    with realm_scope(realm):
        return define_attribute(system_actor(realm.pk), name=name, label=name.title(), **fields)


def held(realm, **who):
    with realm_scope(realm):
        return User.objects.get(**who).attributes


def test_an_attribute_is_added_changed_and_deleted(owner, realm_a, user_a):
    assert "No attributes yet" in owner.get(PAGE).text
    assert "Choice of a list" in owner.get(f"{PAGE}/new").text
    assert owner.get(f"{PAGE}/new?type=choice").status_code == 200
    sent = {"type": "choice", "name": "size", "label": "Size", "choices": "S\nM\n\nL", "person_may_see": "on"}
    refused = owner.post(f"{PAGE}/new", {**sent, "name": "email"})
    assert refused.status_code == 422
    assert "Every person has this already" in refused.text
    assert owner.post(f"{PAGE}/new", sent).status_code == 302
    assert "Size" in owner.get(PAGE).text
    with realm_scope(realm_a):
        size = Attribute.objects.get(name="size")
        assert (size.choices, size.person_may_see, size.required) == (["S", "M", "L"], True, False)
        set_attributes(system_actor(realm_a.pk), user_id=user_a.pk, values={"size": "M"})
    assert "pattern" not in owner.get(f"{PAGE}/size").text
    assert owner.post(f"{PAGE}/size", {"label": "Shirt", "choices": "S\nM"}).status_code == 302
    assert owner.post(f"{PAGE}/size", {"label": "Shirt", "choices": ""}).status_code == 422
    asked = owner.get(f"{PAGE}/size/delete")
    assert "People who lose a value" in asked.text
    assert owner.post(f"{PAGE}/size/delete", {"confirm": "no"}).status_code == 422
    assert owner.post(f"{PAGE}/size/delete", {"confirm": "size"}).status_code == 302
    assert held(realm_a, pk=user_a.pk) == {}


def test_a_dangerous_pattern_is_refused_at_its_field(owner):
    sent = {"type": "text", "name": "badge", "label": "Badge", "pattern": "(a+)+"}
    refused = owner.post(f"{PAGE}/new", sent)
    assert refused.status_code == 422
    assert "no groups" in refused.text


def test_readers_look_others_are_refused_and_other_realms_are_not_there(realm_a, realm_b, owner_b, user_a):
    define(realm_a, "badge")
    auditor = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    assert "Add attribute" not in auditor.get(PAGE).text
    assert "disabled" in auditor.get(f"{PAGE}/badge").text
    for path, data in ((f"{PAGE}/new", {"type": "text"}), (f"{PAGE}/badge", {}), (f"{PAGE}/badge/delete", {})):
        assert auditor.post(path, data).status_code == 403
    assert RealmClient(realm_a).sign_in(user_a).get(PAGE).status_code == 403
    other = RealmClient(realm_b).sign_in(owner_b)
    assert other.get(f"{PAGE}/badge").status_code == 404
    assert other.post(f"{PAGE}/badge/delete", {"confirm": "badge"}).status_code == 404


def test_sign_up_asks_for_it_and_refuses_what_does_not_fit(realm_a, realm_b):
    define(realm_a, "badge", pattern="[A-Z]\\d{3}", at_sign_up=True, required=True)
    define(realm_a, "level", type="number", at_sign_up=True)
    define(realm_a, "secret")
    form = {"name": "Kim", "email": "kim@example.com", "password1": PASSWORD}
    client = RealmClient(realm_a)
    page = client.get("/signup").text
    assert "attribute_badge" in page
    assert "attribute_secret" not in page
    assert "attribute_badge" not in RealmClient(realm_b).get("/signup").text
    for wrong in ({}, {"attribute_badge": "a"}, {"attribute_badge": "A123", "attribute_level": "x"}):
        refused = client.post("/signup", {**form, **wrong})
        assert next(iter(refused.context["form"].errors)).startswith("attribute_")
    sent = {**form, "attribute_badge": "A123", "attribute_level": "7", "attribute_secret": "x", "attributes": "{}"}
    assert client.post("/signup", sent).status_code == 302
    assert held(realm_a, email="kim@example.com") == {"badge": "A123", "level": 7}


def test_people_see_and_change_their_own_as_far_as_they_may(realm_a, user_a):
    define(realm_a, "badge", pattern="[A-Z]\\d{3}", person_may_change=True)
    define(realm_a, "level", type="number", person_may_see=True)
    define(realm_a, "rating", type="number", person_may_see=False)
    with realm_scope(realm_a):
        set_attributes(system_actor(realm_a.pk), user_id=user_a.pk, values={"level": 7, "rating": 99123})
    client = RealmClient(realm_a).sign_in(user_a)
    page = client.get("/account/details").text
    assert "attribute_badge" in page
    assert "Level" in page
    assert "99123" not in page.replace(",", "")
    assert client.post("/account/details", {"attributes": "yes", "attribute_badge": "a"}).status_code == 422
    sent = {"attributes": "yes", "attribute_badge": "A123", "attribute_level": "1", "attribute_rating": "1"}
    assert client.post("/account/details", sent).status_code == 302
    assert held(realm_a, pk=user_a.pk) == {"badge": "A123", "level": 7, "rating": 99123}


def test_admins_see_and_change_them_on_the_persons_page(owner, realm_a, user_a):
    path = f"/console/users/{public_id('user', user_a.pk)}"
    assert "section-attributes" not in owner.get(f"{path}/edit").text
    assert owner.post(f"{path}/edit/attributes", {}).status_code == 404
    define(realm_a, "badge", pattern="[A-Z]\\d{3}")
    define(realm_a, "vip", type="boolean")
    define(realm_a, "born", type="date")
    assert "section-attributes" in owner.get(f"{path}/edit").text
    sent = {
        "attributes-attribute_badge": "A123",
        "attributes-attribute_vip": "on",
        "attributes-attribute_born": "2001-12-31",
    }
    assert owner.post(f"{path}/edit/attributes", sent).status_code == 302
    assert held(realm_a, pk=user_a.pk) == {"badge": "A123", "vip": True, "born": "2001-12-31"}
    assert "A123" in owner.get(path).text
    assert 'value="2001-12-31"' in owner.get(f"{path}/edit").text
    refused = owner.post(f"{path}/edit/attributes", {**sent, "attributes-attribute_badge": "x"})
    assert refused.status_code == 422


def test_an_attribute_becomes_a_claim_and_one_of_ours_is_refused(owner, realm_a):
    define(realm_a, "tier", type="number")
    assert "Released with the scope" in owner.get(f"{PAGE}/tier").text
    refused = owner.post(f"{PAGE}/tier", {"label": "Tier", "claim": "sub", "scope": "profile"})
    assert refused.status_code == 422
    assert "This claim has a meaning already" in refused.text
    assert owner.post(f"{PAGE}/tier", {"label": "Tier", "claim": "tier", "scope": "profile"}).status_code == 302
    with realm_scope(realm_a):
        assert Attribute.objects.get().claim == "tier"
    assert "with profile" in owner.get(PAGE).text


def test_moving_shows_the_list_anew_with_the_same_buttons(owner, realm_a, realm_b, owner_b):
    define(realm_a, "first")
    define(realm_a, "second")
    answer = owner.post(f"{PAGE}/second/move", {"to": "up"}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    assert answer.text.index("Second") < answer.text.index("First")
    # htmx gives the focus back to the element of the same id.
    assert 'id="up-second"' in answer.text
    assert "stands at place 1 of 2" in answer.headers["HX-Trigger"]
    assert owner.post(f"{PAGE}/second/move", {"to": "down"}).status_code == 302
    auditor = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    assert auditor.post(f"{PAGE}/second/move", {"to": "up"}).status_code == 403
    assert "/move" not in auditor.get(PAGE).text
    assert RealmClient(realm_b).sign_in(owner_b).post(f"{PAGE}/second/move", {"to": "up"}).status_code == 404
