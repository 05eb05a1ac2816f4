"""A mail's link in a browser: the question, "it was not me", and the way back in."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from conftest import PASSWORD
from console.testing import problems
from identity.courier.testing import mails
from identity.kernel.context import realm_scope
from identity.security.models import Alert
from identity.sessions.models import Session
from identity.signin.tests.strangers import CHROME, known

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def origin(live_server, settings):
    """Links in mails lead to the live server."""
    parts = urlsplit(live_server.url)
    settings.REALMKEEP_ORIGIN = f"{parts.scheme}://{parts.netloc}"


def link_of(realm, subject):
    return next(mail for mail in reversed(mails(realm)) if mail.subject.startswith(subject)).links[0]


def test_the_mails_link_asks_contains_and_leads_back_in(browser, mount, realm_a, user_a, realm_b, user_b):
    known(realm_a)
    known(realm_b)
    stranger = browser.new_context(user_agent=CHROME).new_page()
    stranger.goto(f"{mount(realm_a)}/signin")
    stranger.get_by_label("Email").fill("dana@example.com")
    stranger.get_by_role("button", name="Continue", exact=True).click()
    stranger.get_by_label("Password", exact=True).fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in", exact=True).click()
    expect(stranger).to_have_url(re.compile(r"/account/$"))

    person = browser.new_context().new_page()
    person.goto(link_of(realm_a, "New sign-in"))
    expect(person.get_by_role("heading", name="Was this you?")).to_be_visible()
    expect(person.get_by_text("Chrome on Windows, not seen before")).to_be_visible()
    assert problems(person) == []
    person.get_by_role("button", name="No, secure it").click()
    expect(person.get_by_role("heading", name="Your account is secured")).to_be_visible()
    expect(person.get_by_text("Signed out 2 devices")).to_be_visible()
    assert problems(person) == []

    stranger.reload()
    expect(stranger).to_have_url(re.compile(r"/signin"))
    with realm_scope(realm_a):
        assert Alert.objects.get().detector == "denied_sign_in"
    with realm_scope(realm_b):
        assert Session.objects.filter(user=user_b, status="active").count() == 1

    person.goto(link_of(realm_a, "Choose a new password"))
    person.get_by_label("Choose a password").fill("another good phrase")
    person.get_by_role("button", name="Save the new password").click()
    expect(person).to_have_url(re.compile(r"/password/reset/done"))
    person.goto(link_of(realm_a, "New sign-in"))
    expect(person.get_by_role("heading", name="This question has been answered")).to_be_visible()
