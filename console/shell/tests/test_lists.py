"""Keyset pages, filters that stay in links, counts that stop."""

import base64
import json

import pytest
from django.test import RequestFactory

from conftest import make_user
from console.shell import lists
from console.shell.lists import AFTER, Filter, ListState, Option, Total, paginate, total_of
from identity.accounts.models import User
from identity.kernel.context import realm_scope

STATUS = Filter("status", "Status", (Option("active", "active"), Option("locked", "locked")))
PERSON = Filter("person", "Person")


def state_of(query="", **kwargs):
    return ListState(RequestFactory().get(f"/console/users{query}"), (STATUS, PERSON), **kwargs)


def test_filters_and_search_stay_in_every_link():
    state = state_of("?q=mia&status=active&person=usr_1&view=mine&after=x&junk=1", keep=("view",))
    assert state.url() == "/console/users?view=mine&q=mia&status=active&person=usr_1"
    assert state.url(after="abc").endswith("&after=abc")
    assert state.url(status="") == "/console/users?view=mine&q=mia&person=usr_1"
    assert state.clear_url == "/console/users?view=mine"


def test_a_value_that_a_closed_filter_does_not_know_is_ignored():
    state = state_of("?status=dropped")
    assert state.get("status") == ""
    assert not state.is_filtered
    assert [adder.name for adder in state.adders] == ["status"]


def test_active_filters_are_chips_in_words():
    state = state_of("?status=active&person=usr_1", labels={"person": "Mia Torres"})
    assert [(chip.label, str(chip.value_label)) for chip in state.chips] == [
        ("Status", "active"),
        ("Person", "Mia Torres"),
    ]
    assert state.chips[0].remove_url == "/console/users?person=usr_1"


def test_a_nul_byte_never_reaches_the_database():
    assert state_of("?person=a%00b").get("person") == "ab"


@pytest.fixture
def people(realm_a):
    return [make_user(realm_a, f"p{number}@example.com", name=f"P {number % 3}") for number in range(7)]


@pytest.mark.parametrize("order", [("-created_at", "-id"), ("name", "id"), ("-name", "id"), ("id",)])
def test_pages_walk_over_all_rows_once_and_in_order(realm_a, people, order):
    with realm_scope(realm_a):
        seen, query = [], ""
        for _ in range(10):
            page = paginate(state_of(query), User.objects.all(), order=order, size=3)
            seen += [row.pk for row in page.rows]
            if not page.older_url:
                break
            query = page.older_url.removeprefix("/console/users")
        assert seen == list(User.objects.order_by(*order).values_list("pk", flat=True))
        assert page.newest_url == "/console/users"


def test_a_page_keeps_its_place_when_newer_rows_arrive(realm_a, people):
    with realm_scope(realm_a):
        first = paginate(state_of(), User.objects.all(), order=("-id",), size=3)
        second_url = first.older_url.removeprefix("/console/users")
        before = [row.pk for row in paginate(state_of(second_url), User.objects.all(), order=("-id",), size=3)]
    make_user(realm_a, "newer@example.com")
    with realm_scope(realm_a):
        assert [row.pk for row in paginate(state_of(second_url), User.objects.all(), order=("-id",), size=3)] == before


@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", "W10", base64.urlsafe_b64encode(json.dumps(["a", "b", "c"]).encode()).decode(),
     base64.urlsafe_b64encode(json.dumps([1, {}]).encode()).decode(), "e30", "bm90anNvbg"],
)  # fmt: skip
def test_a_cursor_that_cannot_be_read_gives_the_first_page(realm_a, people, cursor):
    with realm_scope(realm_a):
        page = paginate(state_of(f"?{AFTER}={cursor}"), User.objects.all(), order=("-created_at", "-id"), size=3)
        assert len(page) == 3
        assert page.newest_url == ""


def test_counting_stops(realm_a, people, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(lists, "EXACT_UP_TO", 5)
    with realm_scope(realm_a), django_assert_max_num_queries(2):
        total = total_of(User.objects.order_by("name"))
    assert not total.is_exact
    assert total.number >= 5
    assert str(total).startswith(("over", "about"))


@pytest.mark.parametrize(
    ("total", "text"),
    [(Total(12, is_exact=True), "12"), (Total(9999, is_exact=True), "9,999"),
     (Total(48000, is_exact=False, is_estimate=True), "about 48,000"), (Total(10000, is_exact=False), "over 10,000")],
)  # fmt: skip
def test_a_total_says_how_sure_it_is(total, text):
    assert str(total) == text


def test_an_estimate_shows_two_digits():
    assert lists._rounded(48_234) == 48_000
    assert lists._rounded(1_234_567) == 1_200_000
