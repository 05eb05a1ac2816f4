"""Sign-up in a browser: the sum against bots under the strict policy, a code by text message."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from conftest import PASSWORD
from console.testing import problems
from identity.accounts.models import User
from identity.courier.commands import deliver_due
from identity.courier.testing import mails
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.commands import change_realm_settings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def origin(live_server, settings):
    """The relying party is the configured origin: the live server's."""
    parts = urlsplit(live_server.url)
    settings.REALMKEEP_ORIGIN = f"{parts.scheme}://{parts.netloc}"


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.blocked = []
    page.on("console", lambda said: page.blocked.append(said.text) if "Content Security" in said.text else None)
    yield page
    assert page.blocked == []
    context.close()


def allow(realm, **settings):
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)


def code_for(realm):
    deliver_due()
    return re.search(r"\b(\d{6})\b", mails(realm)[-1].text)[1]


def test_the_browser_solves_the_sum_by_itself_and_by_number_one_is_in(page, mount, realm_a):
    allow(
        realm_a,
        bot_protection="proof_of_work",
        phone_sign_in=True,
        default_country="DE",
        sign_up_identifiers=["phone"],
        terms_uri="https://a.example/terms",
        terms_version="2026-11",
    )
    page.goto(f"{mount(realm_a)}/signup")
    page.get_by_label("Your name").fill("Kim Park")
    page.get_by_label("Phone number").fill("0151 12345678")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    assert problems(page) == []
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your phone")).to_be_visible(timeout=30_000)
    assert problems(page) == []
    page.get_by_label("6-digit code").fill(code_for(realm_a))
    page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_url(re.compile("/account/$"))
    with realm_scope(realm_a):
        kim = User.objects.get(phone="+4915112345678")
    assert kim.terms_version == "2026-11"


def test_without_scripts_the_page_says_what_is_missing(browser, mount, realm_a):
    allow(realm_a, bot_protection="proof_of_work")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{mount(realm_a)}/signup")
    page.get_by_label("Your name").fill("Kim Park")
    page.get_by_label("Email").fill("kim@example.com")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("JavaScript switched on")
    expect(page.get_by_label("Email")).to_have_value("kim@example.com")
    context.close()
