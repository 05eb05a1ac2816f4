"""Unfold's change lists inside a realm: scoped, read-only, asked through the Actor."""

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import transaction

from conftest import make_user
from console.shell import model_admin
from console.signin.messages.wording import TEMPLATES
from console.site import console_site
from identity.courier.commands import queue_message
from identity.courier.models import Channel, Message, MessageStatus
from identity.kernel.context import realm_scope


@pytest.fixture
def messages(realm_a, realm_b):
    for realm, template in ((realm_a, "password_reset"), (realm_b, "invitation")):
        with realm_scope(realm):
            queue_message(realm, to="dana@example.com", template=template, context={"link": "https://secret.example/"})
    return Message.all_realms


def owner_of(client_for, realm, user):
    return client_for(realm).sign_in(user)


def test_ti_a_list_shows_the_rows_of_its_realm_alone(client_for, realm_a, owner_a, messages):
    body = owner_of(client_for, realm_a, owner_a).get("/console/identity/message/").content.decode()
    assert "password_reset" in body
    assert "invitation" not in body


def test_nothing_there_and_nothing_that_matches_are_told_apart(client_for, realm_a, owner_a):
    client = owner_of(client_for, realm_a, owner_a)
    empty = client.get("/console/identity/message/").content.decode()
    assert "No messages yet" in empty
    assert "Clear filters" not in empty
    assert "yielded" not in empty
    filtered = client.get("/console/identity/message/?q=nothing").content.decode()
    assert "Nothing matches" in filtered
    assert "Clear filters" in filtered


def test_ti_another_realms_row_is_not_there(client_for, realm_a, realm_b, owner_a, messages):
    client = owner_of(client_for, realm_a, owner_a)
    with realm_scope(realm_b):
        theirs = Message.objects.get()
    response = client.get(f"/console/identity/message/{theirs.pk}/change/")
    assert response.status_code in (302, 404)
    assert "invitation" not in response.content.decode()


def test_sealed_parts_are_never_shown(client_for, realm_a, owner_a, messages):
    client = owner_of(client_for, realm_a, owner_a)
    with realm_scope(realm_a):
        row = Message.objects.get()
    body = client.get(f"/console/identity/message/{row.pk}/change/").content.decode()
    assert "password_reset" in body
    assert "secret.example" not in body
    assert "dana@example.com" not in body


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_written_there(client_for, realm_a, owner_a, messages, path, method):
    client = owner_of(client_for, realm_a, owner_a)
    with realm_scope(realm_a):
        row = Message.objects.get()
        response = getattr(client, method)(f"/console/identity/message/{path.format(pk=row.pk)}")
        assert response.status_code == 403
        assert Message.objects.filter(pk=row.pk).exists()


def test_a_change_is_refused_and_the_admins_log_stays_empty(client_for, realm_a, owner_a, messages):
    client = owner_of(client_for, realm_a, owner_a)
    with realm_scope(realm_a):
        row = Message.objects.get()
    assert client.post(f"/console/identity/message/{row.pk}/change/", {"status": "sent"}).status_code == 403
    assert client.get(f"/console/identity/message/{row.pk}/history/").status_code == 404
    assert not LogEntry.objects.exists()


def test_one_without_the_permission_is_refused(client_for, realm_a, messages):
    desk = make_user(realm_a, "desk@example.com", role="Help desk")
    response = client_for(realm_a).sign_in(desk).get("/console/identity/message/")
    assert response.status_code == 403


def test_it_counts_no_further_than_it_pages(realm_a, messages, monkeypatch):
    monkeypatch.setattr(model_admin, "EXACT_UP_TO", 1)
    with realm_scope(realm_a):
        queue_message(realm_a, to="x@example.com", template="password_reset", context={})
        assert model_admin.CappedPaginator(Message.objects.order_by("-id"), 50).count == 1


def test_the_admins_own_doors_are_closed(client_for, realm_a, owner_a):
    client = owner_of(client_for, realm_a, owner_a)
    for path in ("logout/", "password_change/", "search/", "r/1/1/"):
        assert client.get(f"/console/{path}").status_code in (301, 302, 404)
    assert client.get("/console/search/").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "_to_field=context_sealed",
        "_popup=1&_to_field=realm_id",
        "context_sealed__startswith=a",
        "realm__slug=b",
        "realm_id__isnull=False",
        "user__email__startswith=d",
        "_connector=OR&status=sent",
    ],
)
def test_ti_05_in_10_an_address_asks_no_field_of_the_table(client_for, realm_a, owner_a, messages, query):
    response = owner_of(client_for, realm_a, owner_a).get(f"/console/identity/message/?{query}")
    assert response.status_code in (302, 400)
    if response.status_code == 302:
        assert response["Location"].endswith("?e=1")


def test_ti_05_there_is_no_autocomplete_and_no_popup_that_lists_others(client_for, realm_a, owner_a, messages):
    client = owner_of(client_for, realm_a, owner_a)
    asked = "?term=d&app_label=identity&model_name=message&field_name=user"
    assert client.get(f"/console/autocomplete/{asked}").status_code in (403, 404)
    body = client.get("/console/identity/message/?_popup=1").content.decode()
    assert "password_reset" in body
    assert "invitation" not in body


def test_ti_07_a_forged_list_form_changes_and_creates_nothing(client_for, realm_a, realm_b, owner_a, messages):
    client = owner_of(client_for, realm_a, owner_a)
    before = list(messages.order_by("pk").values_list("pk", "status", "template"))
    with realm_scope(realm_b):
        theirs = Message.objects.get().pk
    form = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "1", "form-MIN_NUM_FORMS": "0", "form-MAX_NUM_FORMS": "9"}
    rows = {"form-0-id": str(theirs), "form-0-status": "sent", "form-1-status": "sent", "form-1-template": "invitation"}
    acts = {"action": "delete_selected", "_selected_action": [str(theirs)], "select_across": "1", "post": "yes"}
    for data in ({**form, **rows, "_save": "Save"}, acts, {**form, **rows, **acts}):
        response = client.post("/console/identity/message/", data)
        assert response.status_code in (200, 302, 403)
    assert list(messages.order_by("pk").values_list("pk", "status", "template")) == before


def test_every_change_list_is_one_of_ours():
    for admin in console_site._registry.values():
        assert isinstance(admin, model_admin.RealmModelAdmin)
        assert admin.view_permission


def test_a_filter_that_means_nothing_leads_to_the_whole_list_however_often(client_for, realm_a, owner_a, messages):
    client = owner_of(client_for, realm_a, owner_a)
    response = client.get("/console/identity/message/?nothing=1&e=1", follow=True)
    assert response.status_code == 200
    assert "password_reset" in response.content.decode()


def test_each_message_is_told_by_what_it_is_and_what_became_of_it(client_for, realm_a, owner_a):
    folder = settings.BASE_DIR / "templates"
    there = {file.name for file in (folder / "email").iterdir() if file.is_dir()}
    assert there | {file.stem for file in (folder / "sms").glob("*.txt")} == set(TEMPLATES)
    with realm_scope(realm_a), transaction.atomic():
        queue_message(realm_a, to="dana@example.com", template="invitation", context={})
        for status in MessageStatus.values:
            message = queue_message(realm_a, to="+4915112345678", template="reset_code", context={}, channel="sms")
            Message.objects.filter(pk=message.pk).update(status=status)
        queue_message(realm_a, to="dana@example.com", template="password_wish", context={}, channel=Channel.LATE)
    body = owner_of(client_for, realm_a, owner_a).get("/console/identity/message/").content.decode()
    for words in ("Invitation", "Code for a new password", "Waiting", "Sent", "Failed", "Expired", "over a limit"):
        assert words in body
    assert "password_wish" not in body
