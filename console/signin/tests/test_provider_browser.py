"""Providers in a browser: added and tested in the console, then people come in, link and unlink."""

import re

import pytest
from playwright.sync_api import expect

from console.testing import problems
from identity.signin.tests.fake_provider import FakeProvider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}}
PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}


@pytest.fixture
def fake(settings, live_server):
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    settings.REALMKEEP_ORIGIN = live_server.url
    with FakeProvider() as provider:
        yield provider


def add_in_console(page, home, fake):
    """As an admin does it, by the pages alone."""
    page.goto(f"{home}/console/sign-in/providers")
    page.get_by_role("link", name="Add provider").first.click()
    page.get_by_role("link", name="Choose OpenID Connect").click()
    page.get_by_label("Name", exact=True).fill("Corp ID")
    page.get_by_label("Name in links").fill("corp")
    page.get_by_label("Client ID").fill(fake.client_id)
    page.get_by_label("Client secret").fill(fake.client_secret)
    page.get_by_label("Issuer").fill(fake.issuer)
    page.get_by_label("Addresses that it calls verified").check()
    page.get_by_label("Everybody it vouches for").check()
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("heading", level=1, name="Corp ID")).to_be_visible()


def test_an_admin_adds_a_provider_and_a_person_comes_in(browser, mount, sign_in, realm_a, owner_a, fake):
    home = mount(realm_a)
    admin = browser.new_context(**DESK)
    sign_in(admin, realm_a, owner_a)
    page = admin.new_page()
    add_in_console(page, home, fake)
    page.get_by_role("link", name="Test this provider").click()
    page.get_by_role("button", name="Test the steps").click()
    expect(page.get_by_text("Right", exact=True)).to_have_count(5)
    page.get_by_role("link", name="Go to Corp ID").click()
    page.get_by_role("link", name="Continue as Dana Corp").click()
    expect(page.get_by_role("heading", name="Corp ID works")).to_be_visible()
    page.get_by_role("link", name="Back to the console").click()
    admin.close()

    person = browser.new_context(**PHONE)
    blocked = []
    page = person.new_page()
    page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"{home}/account/security")
    page.get_by_role("link", name="Continue with Corp ID").click()
    page.get_by_role("link", name="Continue as Dana Corp").click()
    expect(page).to_have_url(re.compile("/account/security$"))
    expect(page.get_by_text("Accounts elsewhere")).to_be_visible()
    page.get_by_role("link", name="Unlink Corp ID").click()
    page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("This is the last way in")).to_be_visible()
    assert not blocked
    person.close()


def test_a_known_address_is_asked_to_sign_in_first_and_then_linked(
    browser, mount, sign_in, realm_a, owner_a, user_a, fake
):
    home = mount(realm_a)
    admin = browser.new_context(**DESK)
    sign_in(admin, realm_a, owner_a)
    add_in_console(admin.new_page(), home, fake)
    admin.close()
    fake.person["email"] = "dana@example.com"
    person = browser.new_context(**DESK)
    page = person.new_page()
    page.goto(f"{home}/signin")
    page.get_by_role("link", name="Continue with Corp ID").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="You turned back")).to_be_visible()
    page.get_by_role("link", name="Try Corp ID again").click()
    page.get_by_role("link", name="Continue as Dana Corp").click()
    expect(page.get_by_role("heading", name="Link to your account")).to_be_visible()
    page.get_by_role("link", name="Sign in to your account").click()
    page.get_by_label("Email").fill("dana@example.com")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Link the two").click()
    expect(page.get_by_text("You can sign in with Corp ID now.")).to_be_visible()
    person.close()


def test_pages_of_providers_are_accessible_and_fit(browser, mount, sign_in, realm_a, owner_a, fake):
    home = mount(realm_a)
    context = browser.new_context()
    sign_in(context, realm_a, owner_a)
    page = context.new_page()
    found = {}
    page.goto(f"{home}/console/sign-in/providers")
    found["empty"] = problems(page)
    page.goto(f"{home}/console/sign-in/providers/new")
    found["kinds"] = problems(page)
    page.goto(f"{home}/console/sign-in/providers/new?kind=apple")
    found["form"] = problems(page)
    add_in_console(page, home, fake)
    found["detail"] = problems(page)
    for name in ("test", "secret", "disable", "delete"):
        page.goto(f"{home}/console/sign-in/provider/corp/{name}")
        found[name] = problems(page)
    page.goto(f"{home}/console/sign-in/providers")
    found["list"] = problems(page)
    page.goto(f"{home}/account/security")
    found["security"] = problems(page)
    page.goto(f"{home}/signin/provider/callback?state=x")
    found["lost"] = problems(page)
    page.get_by_role("link", name="Start again").click()
    page.goto(f"{home}/account/linked/corp/link")
    page.get_by_role("link", name="Continue as Dana Corp").click()
    found["link"] = problems(page)
    page.get_by_role("button", name="Link the two").click()
    page.goto(f"{home}/account/linked/corp/unlink")
    found["unlink"] = problems(page)
    stranger = browser.new_context().new_page()
    stranger.goto(f"{home}/signin")
    found["sign-in"] = problems(stranger)
    assert not any(found.values()), found
