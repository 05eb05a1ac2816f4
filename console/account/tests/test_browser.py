"""Account and sign-in pages in a browser: accessible, never wider than a phone, and working without scripts."""

import re

import pytest
from playwright.sync_api import expect

from conftest import PASSWORD, actor_of, make_application
from console.testing import problems
from identity.accounts.commands import require_new_password
from identity.consent.commands import grant_consent
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.mfa.commands import add_message_device, confirm_message_device, messages
from identity.realms.commands import change_realm_settings
from identity.sessions.testing import RealmClient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OPEN = ["signin", "signup", "password/reset", "password/reset/sent", "signup/sent", "nothing-here"]
OWN = ["", "details", "security", "devices", "apps", "activity", "password", "email", "phone"]


@pytest.fixture
def dana_sees(browser, sign_in, realm_a, user_a):
    """Dana's browser; she has a second device and a connected application."""
    RealmClient(realm_a).sign_in(user_a)
    application, _ = make_application(realm_a)
    with realm_scope(realm_a):
        grant_consent(actor_of(user_a), application_id=application.pk, scopes=["openid", "email"], asked=[])
        change_realm_settings(system_actor(realm_a.pk), changes={"phone_sign_in": True})
    context = browser.new_context()
    sign_in(context, realm_a, user_a)
    yield context.new_page()
    context.close()


def test_own_pages_are_accessible_and_fit(dana_sees, mount, realm_a):
    found = {}
    for name in OWN:
        dana_sees.goto(f"{mount(realm_a)}/account/{name}")
        found[name] = problems(dana_sees)
    dana_sees.goto(f"{mount(realm_a)}/account/apps")
    dana_sees.get_by_role("link", name="See or withdraw Portal").click()
    found["app"] = problems(dana_sees)
    assert not any(found.values()), found


def test_pages_for_everybody_are_accessible_and_fit(browser, mount, realm_a):
    page = browser.new_context().new_page()
    found = {}
    for name in OPEN:
        page.goto(f"{mount(realm_a)}/{name}")
        found[name] = problems(page)
    assert not any(found.values()), found


def test_the_policy_blocks_nothing_of_ours(browser, sign_in, mount, realm_a, user_a):
    with realm_scope(realm_a):
        change_realm_settings(system_actor(realm_a.pk), changes={"phone_sign_in": True})
    context = browser.new_context()
    sign_in(context, realm_a, user_a)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for name in OWN:
        page.goto(f"{mount(realm_a)}/account/{name}")
    page.goto(f"{mount(realm_a)}/account/devices")
    assert said == []


def test_a_device_is_signed_out_without_scripts(browser, sign_in, mount, realm_a, user_a):
    RealmClient(realm_a).sign_in(user_a)
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, realm_a, user_a)
    page = context.new_page()
    page.goto(f"{mount(realm_a)}/account/devices")
    page.get_by_role("main").get_by_role("button", name="Sign out Unknown device").click()
    expect(page.get_by_role("status")).to_have_text("That device is signed out.")
    expect(page.get_by_role("listitem").filter(has_text="signed in")).to_have_count(1)


def test_the_password_can_be_shown_and_is_hidden_when_it_is_sent(browser, mount, realm_a):
    page = browser.new_context().new_page()
    page.goto(f"{mount(realm_a)}/signin")
    page.get_by_label("Email").fill("dana@example.com")
    page.get_by_role("button", name="Continue").click()
    field = page.get_by_label("Password", exact=True)
    assert field.get_attribute("autocomplete") == "current-password"
    field.fill("correct horse")
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_be_focused()
    page.evaluate(
        "document.querySelector('form[method=post]:not(.lang)').addEventListener('submit', e => e.preventDefault())"
    )
    page.get_by_role("button", name="Sign in").click()
    expect(field).to_have_attribute("type", "password")


def test_focus_goes_to_what_went_wrong(browser, mount, realm_a):
    page = browser.new_context().new_page()
    page.goto(f"{mount(realm_a)}/signin")
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Signing in as")).to_have_value("nobody@example.com")


def test_another_code_is_asked_for_when_it_may_be_sent(browser, mount, realm_a, user_a, monkeypatch):
    sent = []
    monkeypatch.setattr(messages, "send_factor_code", lambda *_a, **values: sent.append(values["code"]))
    with realm_scope(realm_a):
        dana = actor_of(user_a)
        device = add_message_device(dana, user_id=user_a.pk, kind="sms", to="+4915112345642")
        confirm_message_device(dana, user_id=user_a.pk, device_id=device.pk, code=sent[0])
    page = browser.new_context().new_page()
    page.clock.install()
    page.goto(f"{mount(realm_a)}/signin")
    page.get_by_label("Email").fill("dana@example.com")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    button = page.get_by_role("button", name="Send again")
    expect(button).to_have_text(re.compile(r"^Send again in 0:[34]\d$"))
    expect(button).to_be_disabled()
    page.clock.fast_forward(50_000)
    expect(button).to_have_text("Send again")
    expect(button).to_be_enabled()
    expect(page.get_by_text("You can ask for another code now.")).to_have_count(1)


@pytest.mark.parametrize("look", ["dark", "light"])
def test_a_captcha_has_the_pages_look_before_its_script_reads_it(browser, mount, realm_a, settings, look):
    settings.REALMKEEP_CAPTCHA_SECRETS = {"": "secret"}
    with realm_scope(realm_a):
        changes = {"bot_protection": "captcha", "captcha_site_key": "key"}
        change_realm_settings(system_actor(realm_a.pk), changes=changes)
    page = browser.new_context(color_scheme=look).new_page()
    drawn = "const it = document.querySelector('.cf-turnstile'); it.append(`drawn ${it.dataset.theme}`)"
    page.route(
        "https://challenges.cloudflare.com/**", lambda route: route.fulfill(body=drawn, content_type="text/javascript")
    )
    page.goto(f"{mount(realm_a)}/signup")
    expect(page.get_by_text(f"drawn {look}")).to_be_visible()


def test_strength_is_said_in_words_while_typing(browser, mount, realm_a):
    page = browser.new_context().new_page()
    page.goto(f"{mount(realm_a)}/signup")
    page.get_by_label("Email").fill("dana.okafor@example.com")
    password = page.get_by_label("Choose a password")
    said = page.get_by_role("status")
    for typed, words in (("short", "Weak."), ("okafor okafor 1", "Weak."), ("violet harbor lantern 7", "Strong.")):
        password.fill(typed)
        expect(said).to_contain_text(words)


def test_the_meter_knows_the_realms_rules_and_says_why(browser, mount, realm_a, user_a):
    with realm_scope(realm_a):
        actor = system_actor(realm_a.pk)
        change_realm_settings(actor, changes={"password_min_length": 14, "password_character_classes": 3})
        require_new_password(actor, user_id=user_a.pk)
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{mount(realm_a)}/signin")
    page.get_by_label("Email").fill(user_a.email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new password")
    password = page.get_by_label("Choose a password")
    said = page.get_by_role("status")
    for typed, words in (
        ("violet harbor seven", "It lacks kinds of characters"),
        ("Violet 7", "It is too short"),
        ("4711081512345678", "Digits alone"),
        ("Qwertzuiop12345", "Rows of the keyboard"),
        ("Violet harbor lantern 7", "Strong."),
    ):
        password.fill(typed)
        expect(said).to_contain_text(words)
    expect(page.locator("li.y")).to_have_count(3)
    page.get_by_role("button", name="Save and sign in").click()
    page.wait_for_url("**/account/")


def test_the_bottom_bar_names_where_one_is(browser, sign_in, mount, realm_a, user_a):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    sign_in(context, realm_a, user_a)
    page = context.new_page()
    page.goto(f"{mount(realm_a)}/account/")
    bar = page.get_by_role("navigation", name="Account")
    for name in ("Details", "Security", "Devices", "Apps", "Overview"):
        bar.get_by_role("link", name=name).click()
        expect(bar.locator("[aria-current=page]")).to_have_text(name)
        box = bar.bounding_box()
        assert box["y"] + box["height"] == 844
