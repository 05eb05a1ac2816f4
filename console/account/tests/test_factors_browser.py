"""Factors in a browser with a virtual authenticator: passkeys, security keys, autofill, an app, recovery codes."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from conftest import PASSWORD
from console.testing import problems
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.mfa import commands, queries
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import SECRET, change, himself, with_app
from identity.sessions.models import Session
from identity.sessions.rules import ACR_THREE, ACR_TWO

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLATFORM_KEY = {"transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}


@pytest.fixture(autouse=True)
def origin(live_server, settings):
    """The relying party is the configured origin: the live server's."""
    parts = urlsplit(live_server.url)
    settings.REALMKEEP_ORIGIN = f"{parts.scheme}://{parts.netloc}"


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def authenticator(page, **kind):
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    options = {"protocol": "ctap2", "automaticPresenceSimulation": True, **kind}
    found = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp, found["authenticatorId"]


def first_step(page, mount, realm, email="dana@example.com"):
    page.goto(f"{mount(realm)}/signin")
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def leave(page, mount, realm):
    page.goto(f"{mount(realm)}/signout")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def newest(realm, user):
    with realm_scope(realm):
        return Session.objects.filter(user=user, status="active").latest("authenticated_at")


def add_passkey(page, mount, realm, name):
    page.goto(f"{mount(realm)}/account/security")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add the passkey").click()
    page.wait_for_url(re.compile("/account/(security|factors/codes)"))
    page.goto(f"{mount(realm)}/account/security")
    expect(page.get_by_role("link", name=f"Rename {name}")).to_be_visible()


def test_a_passkey_is_enrolled_and_signs_in_alone_by_button_and_from_autofill(
    page, mount, realm_a, realm_b, user_a, user_b
):
    for realm in (realm_a, realm_b):
        change(realm, passkey_sign_in=True)
    authenticator(page, **PLATFORM_KEY)
    first_step(page, mount, realm_a)
    expect(page).to_have_url(re.compile("/account/$"))
    add_passkey(page, mount, realm_a, "Laptop")
    leave(page, mount, realm_a)
    # The page asks as soon as it is open; a virtual authenticator answers what a person would pick in the list.
    page.goto(f"{mount(realm_a)}/signin")
    page.wait_for_url(re.compile("/account/"), timeout=15_000)
    session = newest(realm_a, user_a)
    assert session.acr == ACR_THREE
    assert "pwd" not in session.amr
    # One host, one relying party: the browser offers it in the other realm as well, which knows nothing of it.
    page.goto(f"{mount(realm_b)}/signin")
    expect(page.get_by_text("That passkey didn’t work here")).to_be_visible(timeout=15_000)
    with realm_scope(realm_b):
        assert not Session.objects.filter(user=user_b).exists()


def test_the_button_asks_for_a_passkey_and_cancelling_is_silent(browser, mount, realm_a, user_a):
    change(realm_a, passkey_sign_in=True)
    context = browser.new_context()
    # Without the list of the browser: the button alone.
    context.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    page = context.new_page()
    cdp, key = authenticator(page, **PLATFORM_KEY)
    first_step(page, mount, realm_a)
    add_passkey(page, mount, realm_a, "Laptop")
    leave(page, mount, realm_a)
    page.goto(f"{mount(realm_a)}/signin")
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Nothing happened. Try again")).to_be_visible(timeout=15_000)
    assert "/signin" in page.url
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile("/account/"))
    context.close()


def test_an_app_is_enrolled_and_asked_for_and_a_recovery_code_gets_in(page, mount, realm_a, user_a):
    first_step(page, mount, realm_a)
    page.goto(f"{mount(realm_a)}/account/security")
    page.get_by_role("link", name="Add an authenticator app").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    page.get_by_text("Can’t scan it?").click()
    secret = page.locator("[data-key]").inner_text().replace(" ", "")
    # Of the step before: the code of now is for the sign-in below.
    page.get_by_label("6-digit code").fill(code_at(secret, clock.now(), -1))
    page.get_by_role("button", name="Add the app").click()
    page.get_by_role("button", name="Make ten codes").click()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert codes[0] in Path(download.value.path()).read_text()
    page.get_by_label("I’ve saved these codes").check()
    page.get_by_role("button", name="Done").click()
    leave(page, mount, realm_a)
    first_step(page, mount, realm_a)
    expect(page.get_by_role("heading", name="Enter your app code")).to_be_visible()
    page.get_by_label("6-digit code").fill("000 000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("That code didn’t work")
    code = code_at(secret, clock.now(), 1)
    page.get_by_label("6-digit code").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("/account/"))
    assert newest(realm_a, user_a).acr == ACR_TWO
    leave(page, mount, realm_a)
    first_step(page, mount, realm_a)
    page.get_by_role("link", name="Use another way").click()
    page.get_by_role("link", name="Recovery code").click()
    page.get_by_label("Recovery code").fill(codes[0].upper())
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("/account/"))


def test_where_a_factor_is_demanded_it_is_added_on_the_way_in(page, mount, realm_a, user_a):
    change(realm_a, second_factor="required")
    authenticator(page, **PLATFORM_KEY)
    first_step(page, mount, realm_a)
    expect(page.get_by_role("heading", name="Add a second step")).to_be_visible()
    page.get_by_role("link", name="Passkey").click()
    page.get_by_role("button", name="Add the passkey").click()
    page.wait_for_url(re.compile("/account/"))
    assert newest(realm_a, user_a).acr == ACR_THREE


def test_factor_pages_are_accessible_and_fit(browser, mount, realm_a, sign_in, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
        commands.generate_recovery_codes(himself(user_a), user_id=user_a.pk)
        factor = queries.factors_of(user_a.pk)[0].id
    found = {}

    context = browser.new_context()
    page = context.new_page()
    first_step(page, mount, realm_a)
    found["second step"] = problems(page)
    page.goto(f"{mount(realm_a)}/signin/confirm?choose=1")
    found["chooser"] = problems(page)
    context.close()
    context = browser.new_context()
    sign_in(context, realm_a, user_a)
    page = context.new_page()
    page.goto(f"{mount(realm_a)}/signin/again?by=factor")
    found["by factor"] = problems(page)
    page.get_by_label("6-digit code").fill(code_at(SECRET, clock.now()))
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(re.compile("/account/"))
    for name in (
        "account/security",
        "account/factors/add",
        "account/factors/add/app",
        "account/factors/add/passkey",
        "account/factors/add/number",
        "account/factors/codes",
        f"account/factors/{factor}/remove",
        "signin/again",
        "signin/again?choose=1",
    ):
        page.goto(f"{mount(realm_a)}/{name}")
        found[name] = problems(page)
    page.goto(f"{mount(realm_a)}/account/factors/codes")
    page.get_by_role("button", name="Make ten codes").click()
    found["codes"] = problems(page)
    context.close()
    assert not any(found.values()), found
