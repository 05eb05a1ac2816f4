"""Acts of the palette: offered to those who may, and the same dialog as on the page."""

import pytest

from conftest import make_application, make_user
from console.shell.acts import object_of
from identity.access.commands import add_member, create_organization, grant_object
from identity.accounts.commands import lock_user
from identity.applications.commands import disable_application
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

HTMX = {"HX-Request": "true"}
REALM_WIDE = ("Invite a person…", "Create an organization…", "Register an application…", "Rotate signing key…")


def found(client, term=""):
    return (
        client.get("/console/find", {"q": term}, headers=HTMX)
        .content.decode()
        .replace("<mark>", "")
        .replace("</mark>", "")
    )


@pytest.mark.parametrize(
    ("term", "left"),
    [
        ("lock mia", "mia"),
        ("LOCK Mia Torres", "Mia Torres"),
        ("loc mia", "mia"),
        ("mia", "mia"),
        ("lock", "lock"),
        ("mia lock", "mia"),
    ],
)
def test_the_acts_own_words_are_no_part_of_the_name(term, left):
    assert object_of("Lock %(name)s…", term) == left


@pytest.mark.django_db
def test_an_owner_finds_all_acts_and_each_leads_to_the_pages_own_dialog(as_owner, realm_a, user_a):
    portal, _secret = make_application(realm_a)
    user, app = public_id("user", user_a.pk), public_id("application", portal.pk)
    expected = {
        "lock dana": ("Lock Dana Okafor…", f"/console/users/{user}/lock", "What locking does"),
        "dana": ("End all sessions of Dana Okafor…", f"/console/users/{user}/end-sessions", "sessions"),
        "end all sessions of dana": (
            "End all sessions of Dana Okafor…",
            f"/console/users/{user}/end-sessions",
            "sessions",
        ),
        "disable port": ("Disable Portal…", f"/console/applications/{app}/disable", "What disabling hits"),
        "rotate": ("Rotate signing key…", "/console/keys/rotate", "Rotate"),
    }
    for term, (title, path, said) in expected.items():
        body = found(as_owner, term)
        assert title in body, term
        link = body[body.index(f'href="/realms/a{path}"') :]
        assert "data-dialog" in link[: link.index(">")], term
        assert said in as_owner.get(path, headers=HTMX).content.decode(), term
    body = found(as_owner)
    for title in REALM_WIDE:
        assert title in body
    assert body.index("Go to") < body.index("Invite a person…")


@pytest.mark.django_db
def test_acts_are_shown_only_with_their_permission(as_role, realm_a, user_a):
    make_application(realm_a)
    shown = {
        "Auditor": set(),
        "Help desk": {"Lock Dana Okafor…", "End all sessions of Dana Okafor…", "Invite a person…"},
        "Security analyst": {"Lock Dana Okafor…", "End all sessions of Dana Okafor…"},
        "Application manager": {"Disable Portal…", "Register an application…"},
    }
    titles = {"Lock Dana Okafor…", "End all sessions of Dana Okafor…", "Disable Portal…", *REALM_WIDE}
    for role, expected in shown.items():
        client = as_role(role)
        bodies = found(client) + found(client, "dana") + found(client, "portal")
        assert {title for title in titles if title in bodies} == expected, role


@pytest.mark.django_db
def test_what_is_done_already_or_refused_anyway_is_not_offered(as_owner, as_role, realm_a, as_owner_a, user_a):
    portal, _secret = make_application(realm_a)
    with realm_scope(realm_a):
        lock_user(as_owner_a, user_id=user_a.pk)
        disable_application(as_owner_a, application_id=portal.pk)
    assert "Lock Dana" not in found(as_owner, "dana")
    assert "Disable Portal" not in found(as_owner, "portal")
    assert "Lock Olivia" not in found(as_owner, "olivia")
    assert "End all sessions of Olivia" not in found(as_role("Help desk"), "olivia")


@pytest.mark.django_db
def test_acts_reach_what_somebody_may_act_on_and_no_further(realm_a, realm_b, as_owner_a, user_a):
    make_user(realm_b, "dan@example.com", name="Dana of B")
    make_user(realm_a, "dan@example.com", name="Dana Elsewhere")
    helper = make_user(realm_a, "helper@example.com")
    with realm_scope(realm_a):
        retail = create_organization(as_owner_a, slug="retail", name="Retail")
        add_member(as_owner_a, organization_id=retail.pk, user_id=user_a.pk)
        for permission in ("users:read", "users:disable"):
            grant_object(as_owner_a, user_id=helper.pk, permission=permission, kind="organization", object_id=retail.pk)
    body = found(RealmClient(realm_a).sign_in(helper), "lock dana")
    assert "Lock Dana Okafor…" in body
    assert "Elsewhere" not in body
    assert "of B" not in body
    assert "End all sessions" not in body
