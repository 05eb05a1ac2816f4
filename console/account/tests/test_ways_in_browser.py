"""Every way in, in a browser: a mail server, gateways and a provider on the wire, and two realms that look alike."""

import re
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import expect

from conftest import actor_of, make_user
from console.testing import problems
from identity.accounts.commands import set_password
from identity.accounts.models import User
from identity.courier.commands import deliver_due
from identity.courier.testing import FakeProvider as Gateway
from identity.courier.testing import fake_provider, twilio_says
from identity.courier.tests.accounts import ACCOUNT, TWILIO, gateway, provider
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.commands import change_realm_settings
from identity.sessions.models import Session
from identity.sessions.rules import ACR_THREE
from identity.signin.tests.fake_provider import FakeProvider
from identity.signin.tests.round_trips import add, link

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EMAIL, USERNAME, PHONE, DIALED = "dana@example.com", "dana", "+4915112345678", "0151 1234-5678"
PLATFORM_KEY = {"transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
SECURITY_KEY = {"transport": "usb", "hasResidentKey": False, "hasUserVerification": False, "isUserVerified": False}
EVERY_WAY = {
    "username_sign_in": True,
    "phone_sign_in": True,
    "email_code_sign_in": True,
    "sms_code_sign_in": True,
    "passkey_sign_in": True,
    "default_country": "DE",
}


class MailServer:
    """A mail server that keeps what it gets."""

    def __init__(self):
        self.got = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@dataclass
class Realms:
    """Two realms, and what reaches their people: A sends texts through a gateway of its own, B through Twilio."""

    a: object
    b: object
    people: dict = field(default_factory=dict)
    mails: MailServer = field(default_factory=MailServer)
    gateway: Gateway = None
    twilio: Gateway = None

    @property
    def both(self):
        return [(self.a, self.people[self.a.pk]), (self.b, self.people[self.b.pk])]

    def allow(self, **settings):
        for realm in (self.a, self.b):
            with realm_scope(realm):
                change_realm_settings(system_actor(realm.pk), changes=settings)

    def password_of(self, realm):
        return f"violet harbor of {realm.slug} 7"

    def mailed_code(self, realm, to=EMAIL):
        """Six digits in the newest mail that the mail server got for this person of this realm."""
        while deliver_due():
            pass
        mails = [mail for tos, mail in self.mails.got if tos == [to] and realm.name in mail["From"]]
        return re.search(r"\b\d{6}\b", mails[-1].get_body(("plain",)).get_content())[0]

    def texted_code(self, realm):
        """Six digits in the newest text message that this realm's provider was asked to send."""
        while deliver_due():
            pass
        if realm is self.a:
            heard = self.gateway.heard[-1].json
            to, text = heard["to"], heard["text"]
        else:
            asked = self.twilio.heard[-1]
            assert asked.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
            to, text = asked.form["To"], asked.form["Body"]
        assert to == PHONE
        assert realm.name in text
        return re.search(r"\b\d{6}\b", text)[0]


@pytest.fixture
def realms(realm_a, realm_b, live_server, settings):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    parts = urlsplit(live_server.url)
    settings.REALMKEEP_ORIGIN = f"{parts.scheme}://{parts.netloc}"
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    made = Realms(realm_a, realm_b)
    with ExitStack() as stack:
        controller = Controller(made.mails, hostname="127.0.0.1", port=port)
        controller.start()
        stack.callback(controller.stop)
        made.twilio = stack.enter_context(fake_provider(twilio_says))
        made.gateway = Gateway()
        stack.callback(made.gateway.close)
        provider(realm_a, "http", gateway(f"{made.gateway.url}/send"))
        provider(realm_b, "twilio", TWILIO)
        made.allow(**EVERY_WAY)
        for realm in (realm_a, realm_b):
            fields = {"username": USERNAME, "phone": PHONE, "phone_verified": True}
            made.people[realm.pk] = make_user(realm, EMAIL, name=f"Dana of {realm.name}", **fields)
            with realm_scope(realm):
                actor = system_actor(realm.pk)
                set_password(actor, user_id=made.people[realm.pk].pk, password=made.password_of(realm))
        yield made


@pytest.fixture
def window(browser):
    """One browser of one person, whichever realm it opens."""
    context = browser.new_context()
    yield context
    context.close()


def say_who(page, mount, realm, name):
    page.goto(f"{mount(realm)}/signin")
    page.locator("input[name=login]").fill(name)
    page.get_by_role("button", name="Continue", exact=True).click()


def password(name):
    def come_in(page, mount, realms, realm):
        say_who(page, mount, realm, name)
        page.get_by_label("Password", exact=True).fill(realms.password_of(realm))
        page.get_by_role("button", name="Sign in", exact=True).click()

    return come_in


def code(name, button, sent):
    def come_in(page, mount, realms, realm):
        say_who(page, mount, realm, name)
        page.get_by_role("button", name=button).click()
        page.get_by_label("6-digit code").fill(sent(realms, realm))
        page.get_by_role("button", name="Sign in", exact=True).click()

    return come_in


WAYS = {
    "email and password": (password(EMAIL), ["pwd"]),
    "username and password": (password(USERNAME), ["pwd"]),
    "phone and password": (password(DIALED), ["pwd"]),
    "a code by email": (code(EMAIL, "Email me a code", Realms.mailed_code), ["otp"]),
    "a code by text message": (code(DIALED, "Text me a code", Realms.texted_code), ["sms"]),
}


def landed(page, mount, realm, user, amr):
    """The browser is in this realm, at this person, and the session says by which way."""
    page.wait_for_url(re.compile(rf"{re.escape(mount(realm))}/account/"))
    with realm_scope(realm):
        session = Session.objects.filter(status="active").latest("authenticated_at")
    assert session.user_id == user.pk
    assert session.amr == amr
    expect(page.locator(".who-am-i")).to_contain_text(user.name)
    return session


@pytest.mark.parametrize("way", WAYS)
def test_ti_a_way_leads_to_the_person_of_the_realm(window, mount, realms, way):
    come_in, amr = WAYS[way]
    for realm, user in realms.both:
        page = window.new_page()
        come_in(page, mount, realms, realm)
        landed(page, mount, realm, user, amr)
        page.close()
    # One browser, two realms: neither sign-in ended the other.
    page = window.new_page()
    page.goto(f"{mount(realms.a)}/account/")
    expect(page.locator(".who-am-i")).to_contain_text("Dana of Realm A")


def test_ti_a_provider_leads_to_the_person_of_the_realm(window, mount, realms):
    with FakeProvider() as fake:
        for realm, user in realms.both:
            owner = make_user(realm, "owner@example.com", role="Owner")
            link(add(actor_of(owner), fake), user)
        for realm, user in realms.both:
            page = window.new_page()
            page.goto(f"{mount(realm)}/signin")
            page.get_by_role("link", name="Continue with Corp ID").click()
            page.get_by_role("link", name="Continue as Dana Corp").click()
            landed(page, mount, realm, user, ["fed"])


def test_ti_one_number_signs_up_in_each_realm_by_a_text_message(window, mount, realms):
    for realm, dana in realms.both:
        with realm_scope(realm):
            User.objects.filter(pk=dana.pk).update(phone=None)
    realms.allow(sign_up_identifiers=["phone"], phone_first=True)
    for realm, dana in realms.both:
        page = window.new_page()
        page.goto(f"{mount(realm)}/signin")
        page.get_by_role("link", name="Create an account").click()
        page.get_by_label("Your name").fill(f"Kim of {realm.name}")
        page.get_by_label("Phone number").fill(DIALED)
        page.get_by_role("button", name="Continue", exact=True).click()
        page.get_by_label("6-digit code").fill(realms.texted_code(realm))
        page.get_by_role("button", name="Continue", exact=True).click()
        page.get_by_label("Choose a password").fill("lantern orbit quartz 3")
        page.get_by_role("button", name="Create account").click()
        page.wait_for_url(re.compile("/account/"))
        with realm_scope(realm):
            kim = User.objects.get(phone=PHONE)
        assert kim.phone_verified_at
        assert kim.pk != dana.pk
        landed(page, mount, realm, kim, ["sms"])


def authenticator(page, **kind):
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    options = {"protocol": "ctap2", "automaticPresenceSimulation": True, **kind}
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page, mount, realm):
    page.goto(f"{mount(realm)}/signout")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/signin"))


def test_ti_a_passkey_signs_up_in_each_realm_and_in_again_from_autofill(browser, mount, realms):
    for realm, _dana in realms.both:
        context = browser.new_context()  # an authenticator of its own: both realms are one host to it
        page = context.new_page()
        authenticator(page, **PLATFORM_KEY)
        page.goto(f"{mount(realm)}/signup")
        page.get_by_label("Your name").fill(f"Kim of {realm.name}")
        page.get_by_label("Email").fill("kim@example.com")
        page.get_by_role("button", name="Use a passkey instead of a password").click()
        page.get_by_label("6-digit code").fill(realms.mailed_code(realm, "kim@example.com"))
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(page.get_by_role("heading", name="Make your passkey")).to_be_visible()
        if realm is realms.a:
            assert problems(page) == []
        page.get_by_role("button", name="Make the passkey").click()
        page.wait_for_url(re.compile("/account/"))
        with realm_scope(realm):
            kim = User.objects.get(email="kim@example.com")
        assert not kim.has_usable_password()
        sign_out(page, mount, realm)
        page.goto(f"{mount(realm)}/signin")
        session = landed(page, mount, realm, kim, ["hwk", "user", "mfa"])
        assert session.acr == ACR_THREE
        context.close()


def test_ti_a_security_key_is_the_second_step_in_each_realm(browser, mount, realms):
    for realm, dana in realms.both:
        context = browser.new_context()
        page = context.new_page()
        authenticator(page, **SECURITY_KEY)
        password(EMAIL)(page, mount, realms, realm)
        page.wait_for_url(re.compile("/account/"))
        page.goto(f"{mount(realm)}/account/factors/add/passkey")
        page.get_by_label("Name").fill("Blue key")
        page.get_by_role("button", name="Add the passkey").click()
        page.wait_for_url(re.compile("/account/(security|factors/codes)"))
        sign_out(page, mount, realm)
        password(EMAIL)(page, mount, realms, realm)
        expect(page.get_by_role("heading", name="Use your passkey")).to_be_visible()
        page.get_by_role("button", name="Use your passkey").click()
        landed(page, mount, realm, dana, ["pwd", "hwk", "mfa"])
        context.close()
