"""Pages that no link leads to: steps on the way in, answers, refusals. `e2e.screenshots` plays the ways to them.

The realm `gallery` has every way in and every policy switched on, so that each page can be reached in it.
"""

import base64
import hmac
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page

ROOT = Path(__file__).parents[1]
PASSWORD = "violet harbor lantern 7"
ENVIRONMENT = {
    "GALLERY_PASSWORD": PASSWORD,
    "GALLERY_SECRET": "a-secret-of-the-gallery-0123456789abcdef",
    "REALMKEEP_OUTBOUND_NETWORKS": "127.0.0.0/8",
    "REALMKEEP_CAPTCHA_SECRET": "a-secret-of-the-gallery",
}
"""What the demo server and `manage.py` beside it need: secrets, a provider on this machine, a captcha."""
MAIL_SECONDS = 20
ANOTHER_DEVICE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
PLATFORM_KEY = {"transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}


def _person(key: str, **fields: Any) -> dict[str, Any]:
    person = {
        "key": key,
        "email": f"{key}@gallery.example",
        "name": f"{key.capitalize()} Winterbottom",
        "email_verified": True,
        "password": {"env": "GALLERY_PASSWORD"},
    }
    return {name: value for name, value in {**person, **fields}.items() if value is not None}


def realm_file(*, providers: Sequence[dict[str, Any]] = (), **settings: Any) -> dict[str, Any]:
    """The realm with everything on; `settings` replace its own, `providers` join them."""
    return {
        "version": 1,
        "realm": {
            "slug": "gallery",
            "name": "Gallery",
            "branding": {"accent": "#a53f6e", "logo_text": "G"},
            "settings": {
                "sign_up_open": True,
                "sign_up_identifiers": ["email", "phone", "username"],
                "sign_up_approval": False,
                "bot_protection": "proof_of_work",
                "username_sign_in": True,
                "phone_sign_in": True,
                "phone_first": True,
                "default_country": "DE",
                "email_code_sign_in": True,
                "sms_code_sign_in": True,
                "passkey_sign_in": True,
                "terms_uri": "https://gallery.example/terms",
                "terms_version": "2026-11",
                "password_character_classes": 3,
                "trusted_device_lifetime": 30 * 24 * 3600,
                "time_zone": "Europe/Berlin",
                # Said though they are the defaults: what a file leaves out stays as it was.
                "password_sign_in": True,
                "session_limit": 0,
                "session_limit_action": "end_oldest",
                "phone_verification_required": False,
                "suspicious_sign_in": "notify",
                **settings,
            },
        },
        "attributes": [
            {"name": "member_number", "label": "Member number", "pattern": "[A-Z]{2}[0-9]{4}", "at_sign_up": True,
             "person_may_see": True, "person_may_change": True, "claim": "member_number", "scope": "profile"},
            {"name": "size", "label": "Shirt size", "type": "choice", "choices": ["S", "M", "L"], "at_sign_up": True,
             "person_may_see": True, "person_may_change": True},
            {"name": "newsletter", "label": "Newsletter", "type": "boolean", "person_may_see": True,
             "person_may_change": True},
            {"name": "born", "label": "Born on", "type": "date", "person_may_see": True},
        ],
        "providers": [
            {"alias": "google", "name": "Google", "kind": "google", "client_id": "gallery.apps.example",
             "secret": {"env": "GALLERY_SECRET"}, "sign_up": "create"},
            {"alias": "github", "name": "GitHub", "kind": "github", "client_id": "gallery",
             "secret": {"env": "GALLERY_SECRET"}, "sign_up": "approve"},
            {"alias": "corp", "name": "Winterbottom Corporate Identity", "kind": "oidc", "client_id": "gallery",
             "secret": {"env": "GALLERY_SECRET"}, "settings": {"issuer": "https://login.corp.example"},
             "domains": ["corp.example"]},
            *providers,
        ],
        "sms_providers": [],
        "applications": [
            {"client_id": "reading-room", "name": "Reading room", "type": "web", "publisher": "Gallery",
             "secret": {"env": "GALLERY_SECRET"}, "redirect_uris": ["https://reading.gallery.example/callback"],
             "scopes": ["openid", "profile", "email", "phone", "offline_access"]},
        ],
        "roles": [
            {"name": "reader", "description": "May open every book."},
            {"name": "binder", "application": "reading-room", "description": "Mends them.",
             "requirements": ["verified_phone"]},
            {"name": "curator", "description": "Buys them.", "requirements": ["second_factor"]},
        ],
        "users": [
            _person("olga", console_roles=["Owner"]),
            _person("dana", phone="+4915112345601", phone_verified=True, username="dana",
                    roles=["reader", {"application": "reading-room", "role": "binder"}],
                    attributes={"member_number": "GA0001", "size": "M", "newsletter": True}),
            _person("kim"),
            _person("rita", roles=["curator", {"application": "reading-room", "role": "binder"}]),
            _person("gone", roles=["reader"]),
            _person("hedy", phone="+4915112345604", phone_verified=True),
            _person("held", phone="+4915112345602", phone_verified=True),
            _person("wrong"),
            _person("owes", phone="+4915112345603"),
        ],
    }  # fmt: skip


def manage(data: Path, *arguments: str) -> None:
    """`manage.py` beside the running demo."""
    environ = {
        **os.environ,
        **ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "REALMKEEP_DATA": str(data),
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environ, check=True, stdout=sys.stderr)


def apply(data: Path, **changes: Any) -> None:
    """Make the realm, or change its settings."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(realm_file(**changes), file)  # JSON is YAML
        file.flush()
        manage(data, "realm", "apply", file.name)


@dataclass
class Gallery:
    """Somebody who walks every way, and has each page shot."""

    mount: str
    data: Path
    context: Callable[..., BrowserContext]
    shoot: Callable[[Page, str], None]

    @contextmanager
    def browser(self, **kind: str) -> Iterator[Page]:
        """A browser that nobody has used yet."""
        context = self.context(**kind)
        try:
            yield context.new_page()
        finally:
            context.close()

    def post(self, to: str, pattern: str) -> str:
        """What the newest message to an address or number says, by a pattern."""
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            for file in sorted(self.data.glob("outbox/*/[!.]*.*"), reverse=True):
                message = message_from_bytes(file.read_bytes(), policy=policy.default)
                body = message.get_body(("plain",)) if message["To"] == to else None
                found = re.search(pattern, body.get_content()) if body else None
                if found and file not in self.read:
                    self.read.add(file)
                    return found[0]
            time.sleep(0.2)
        raise AssertionError(f"No message to {to} within {MAIL_SECONDS} seconds.")

    def __post_init__(self) -> None:
        self.read: set[Path] = set()

    def code_to(self, to: str) -> str:
        """Six digits that were sent."""
        return self.post(to, r"\b\d{6}\b")

    def link_to(self, to: str, path: str) -> str:
        """The link to one of our pages that was sent."""
        return self.post(to, rf"{re.escape(self.mount)}/{path}\S+")

    # --- steps -----------------------------------------------------------------------------------------------------

    def name(self, page: Page, login: str) -> None:
        """The first step, by a name that is no number."""
        page.goto(f"{self.mount}/signin?name=1")
        page.locator("input[name=login]").fill(login)
        submit(page)

    def password(self, page: Page, text: str = PASSWORD) -> None:
        """The second step."""
        page.locator("input[name=password]").fill(text)
        submit(page)

    def sign_in(self, page: Page, key: str) -> None:
        """Both steps, and the terms, which are asked of everybody once."""
        self.name(page, f"{key}@gallery.example")
        self.password(page)
        if "/signin/terms" in page.url:
            page.locator("input[name=terms]").check()
            submit(page)

    # --- ways ------------------------------------------------------------------------------------------------------

    def sign_up(self) -> None:
        """With every field that a realm may ask for, by a password and by a passkey."""
        with self.browser() as page:
            page.goto(f"{self.mount}/signup")
            self.shoot(page, "signup")
            fill(page, email="nobody")
            submit(page, novalidate=True)
            self.shoot(page, "signup-wrong")
            person = {"name": "Nina Neu", "email": "nina@gallery.example", "username": "nina", "phone": "0151 12345699"}
            fill(page, **person, attribute_member_number="AB1234", terms=True)
            submit(page)
            self.shoot(page, "signup-code")
            page.locator("input[name=code]").fill("000000")
            submit(page)
            self.shoot(page, "signup-code-wrong")
            page.locator("input[name=code]").fill(self.code_to("+4915112345699"))
            submit(page)
            self.shoot(page, "signup-password")
            fill(page, password1="password")
            submit(page)
            self.shoot(page, "signup-password-wrong")
            fill(page, password1=PASSWORD)
            submit(page)
            self.shoot(page, "signup-done")
            page.goto(f"{self.mount}/signup/sent")
            self.shoot(page, "signup-sent")
            page.goto(f"{self.mount}/signup/waiting")
            self.shoot(page, "signup-waiting")
            page.goto(f"{self.mount}/signup/code")
            self.shoot(page, "signup-code-old")
        with self.browser() as page:
            authenticator(page)
            page.goto(f"{self.mount}/signup")
            fill(page, name="Pia Pass", email="pia@gallery.example", username="pia", phone="0151 12345698", terms=True)
            fill(page, attribute_member_number="AB1235")
            with page.expect_navigation(timeout=60_000):
                page.locator("button[name=with]").click()
            page.locator("input[name=code]").fill(self.code_to("+4915112345698"))
            submit(page)
            self.shoot(page, "signup-passkey")

    def come_in(self) -> None:
        """Names, numbers, passwords, codes; the wrong ones, and the pause that follows."""
        with self.browser() as page:
            page.goto(f"{self.mount}/signin")
            self.shoot(page, "signin-phone")
            page.locator("input[name=number]").fill("12")
            submit(page)
            self.shoot(page, "signin-phone-wrong")
            page.locator("input[name=number]").fill("0151 12345601")
            submit(page)
            self.shoot(page, "signin-phone-password")
            page.goto(f"{self.mount}/signin?name=1")
            self.shoot(page, "signin")
            self.name(page, "someone@corp.example")
            self.shoot(page, "signin-elsewhere")
            self.name(page, "kim@gallery.example")
            self.shoot(page, "signin-password")
            with page.expect_navigation():
                page.locator("button.opt").click()
            self.shoot(page, "signin-code")
            page.locator("input[name=code]").fill("000000")
            submit(page)
            self.shoot(page, "signin-code-wrong")
            self.name(page, "wrong@gallery.example")
            self.password(page, "not this one")
            self.shoot(page, "signin-wrong")
            for _ in range(3):
                self.password(page, "not this one")
            self.shoot(page, "signin-wrong-again")
            self.password(page, "not this one")
            self.shoot(page, "signin-wrong-last")
            self.password(page, "not this one")
            self.shoot(page, "signin-paused")
            with page.expect_navigation():
                page.locator("form[action$=unlock] button").click()
            self.shoot(page, "unlock-sent")
            page.goto(self.link_to("wrong@gallery.example", "signin/unlock/"))
            self.shoot(page, "unlock")
            submit(page)
            self.shoot(page, "unlock-done")
            page.goto(f"{self.mount}/signin/unlock/nothing")
            self.shoot(page, "unlock-old")
            page.goto(f"{self.mount}/signin/unlock")
            self.shoot(page, "unlock-wish")
            page.goto(f"{self.mount}/signin/unusable")
            self.shoot(page, "unusable")
            page.goto(f"{self.mount}/signin/provider/callback?state=x")
            self.shoot(page, "provider-lost")
            page.goto(f"{self.mount}/nothing-here")
            self.shoot(page, "404")
            page.goto(f"{self.mount}/review/nothing")
            self.shoot(page, "review-old")
            page.goto(f"{self.mount}/invitation/nothing")
            self.shoot(page, "invitation-old")
            page.goto(f"{self.mount}/email/confirm/nothing")
            self.shoot(page, "email-confirm-old")
            page.goto(f"{self.mount}/email/revert/nothing")
            self.shoot(page, "email-revert-old")
            page.goto(f"{self.mount}/phone/revert/nothing")
            self.shoot(page, "phone-revert-old")
            page.goto(f"{self.mount}/oauth/authorize?client_id=none")
            self.shoot(page, "authorize-refused")

    def owed(self) -> None:
        """What is asked between the password and the account: terms, a number, a new password."""
        with self.browser() as page:
            self.name(page, "kim@gallery.example")
            self.password(page)
            self.shoot(page, "terms")
            submit(page, novalidate=True)
            self.shoot(page, "terms-wrong")

    def recover(self) -> None:
        """A new password, by a link and by a code."""
        with self.browser() as page:
            page.goto(f"{self.mount}/password/reset")
            self.shoot(page, "reset")
            page.locator("input[name=email]").fill("rita@gallery.example")
            submit(page)
            self.shoot(page, "reset-sent")
            page.goto(self.link_to("rita@gallery.example", "password/reset/"))
            self.shoot(page, "reset-new")
            fill(page, password1="password")
            submit(page)
            self.shoot(page, "reset-new-wrong")
            fill(page, password1=f"{PASSWORD} again")
            submit(page)
            self.shoot(page, "reset-done")
            page.goto(f"{self.mount}/password/reset/nothing")
            self.shoot(page, "reset-old")
            page.goto(f"{self.mount}/password/reset")
            page.locator("input[name=email]").fill("+4915112345601")
            with page.expect_navigation(timeout=60_000):
                page.locator("button[name=by]").click()
            self.shoot(page, "reset-code")
            page.locator("input[name=code]").fill("000000")
            submit(page)
            self.shoot(page, "reset-code-wrong")
            page.locator("input[name=code]").fill(self.code_to("+4915112345601"))
            submit(page)
            self.shoot(page, "reset-new-by-code")

    def factors(self) -> None:
        """Each kind of second step is added, asked for, and taken away."""
        with self.browser() as page:
            authenticator(page)
            self.sign_in(page, "dana")
            base = f"{self.mount}/account"
            for place in ("", "details", "security", "devices", "apps", "activity", "password", "email", "phone"):
                page.goto(f"{base}/{place}")
                self.shoot(page, f"own-{place or 'overview'}")
            page.goto(f"{base}/factors/add")
            self.shoot(page, "factor-add")
            page.goto(f"{base}/factors/add/app")
            self.shoot(page, "factor-app")
            page.locator("details.fold summary").click()
            secret = page.locator("[data-key]").inner_text().replace(" ", "")
            page.locator("input[name=code]").fill("000000")
            submit(page)
            self.shoot(page, "factor-app-wrong")
            page.locator("details.fold summary").click()
            secret = page.locator("[data-key]").inner_text().replace(" ", "")
            page.locator("input[name=code]").fill(app_code(secret))
            submit(page)
            self.shoot(page, "factor-codes")
            submit(page)
            self.shoot(page, "factor-codes-made")
            codes = page.locator(".codes li").all_inner_texts()
            for kind, to in (("number", "+4915112345601"), ("email", "dana.private@example.org")):
                page.goto(f"{base}/factors/add/{kind}")
                self.shoot(page, f"factor-{kind}")
                page.locator("input[name=to]").fill(to)
                submit(page)
                self.shoot(page, f"factor-{kind}-code")
                page.locator("input[name=code]").fill(self.code_to(to))
                submit(page)
            page.goto(f"{base}/factors/add/passkey")
            self.shoot(page, "factor-passkey")
            page.locator("input[name=name]").fill("Work laptop")
            submit(page)
            page.goto(f"{base}/security")
            self.shoot(page, "own-security-full")
            for what in ("rename", "remove"):
                page.locator(f"main a[href$={what}]").first.click()
                self.shoot(page, f"factor-{what}")
                page.goto(f"{base}/security")
            page.goto(f"{self.mount}/signin/again")
            self.shoot(page, "again")
            page.goto(f"{self.mount}/signin/again?choose=1")
            self.shoot(page, "again-choose")
            page.goto(f"{self.mount}/signin/again?by=factor")
            self.shoot(page, "again-factor")
            page.goto(f"{self.mount}/signin/again?by=factor&choose=1")
            self.shoot(page, "again-factor-choose")
            page.goto(f"{self.mount}/signout")
            self.shoot(page, "signout")
        with self.browser() as page:
            self.name(page, "dana@gallery.example")
            self.password(page)
            self.shoot(page, "second")
            page.goto(f"{self.mount}/signin/confirm?choose=1")
            self.shoot(page, "second-choose")
            ways = page.locator(".opts a.opt").evaluate_all("links => links.map(link => link.href)")
            for number, way in enumerate(ways):
                page.goto(way)
                self.shoot(page, f"second-{number}")
                if page.locator("button[name=send].btn-p").count():
                    submit(page)
                    self.shoot(page, f"second-{number}-sent")
                if page.locator("input[name=code]").count():
                    page.locator("input[name=code]").fill("000000")
                    submit(page)
                    self.shoot(page, f"second-{number}-wrong")
            page.goto(ways[-1])
            page.locator("input[name=code]").fill(codes[0])
            submit(page)
            page.goto(f"{self.mount}/account/")
            self.shoot(page, "own-overview-asked")
            page.goto(f"{self.mount}/account/security")
            self.shoot(page, "own-security-asked")
            page.goto(f"{self.mount}/account/activity")
            self.shoot(page, "own-activity-full")

    def reviewed(self) -> None:
        """A sign-in on a second device: the mail's question, and both answers."""
        for person, answer in (("held", "yes"), ("wrong", "no")):
            with self.browser() as known:
                self.sign_in(known, person)
                with self.browser(user_agent=ANOTHER_DEVICE) as page:
                    self.sign_in(page, person)
                page_of_mail = self.link_to(f"{person}@gallery.example", "review/")
                known.goto(f"{self.mount}/account/")
                self.shoot(known, f"review-{answer}-own")
                with self.browser() as page:
                    page.goto(page_of_mail)
                    self.shoot(page, "review")
                    with page.expect_navigation():
                        page.locator(f"button[value={answer}]").click()
                    self.shoot(page, f"review-{answer}")
                    page.goto(page_of_mail)
                    self.shoot(page, f"review-{answer}-again")

    def console(self) -> None:
        """What the console answers to acts: what a change hits, refusals, tests, and pages that are not there."""
        with self.browser() as page:
            self.sign_in(page, "olga")
            place = f"{self.mount}/console"
            page.goto(f"{place}/sign-in/second-factor")
            page.locator("select[name=second_factor]").select_option("required")
            page.locator("main form[hx-post] button.pri").first.click()
            page.locator("main .notice[role=alert], main .notice.high").first.wait_for()
            self.shoot(page, "console-hit")
            page.goto(f"{place}/sign-in/passwords")
            page.locator("input[name=password_min_length]").fill("3")
            page.locator("main form[hx-post] button.pri").first.click()
            page.locator("main [aria-invalid=true]").first.wait_for()
            self.shoot(page, "console-refused")
            for kind in ("twilio", "twilio_verify", "http", "sns"):
                page.goto(f"{place}/sign-in/messages/new?kind={kind}")
                self.shoot(page, f"console-messages-new-{kind}")
            for kind in ("google", "apple", "oidc", "oauth2"):
                page.goto(f"{place}/sign-in/providers/new?kind={kind}")
                self.shoot(page, f"console-providers-new-{kind}")
            page.goto(f"{place}/sign-in/provider/corp/test")
            page.locator("main button.pri").click()
            page.locator("main .sev").first.wait_for(timeout=30_000)
            self.shoot(page, "console-provider-tested")
            page.goto(f"{place}/nothing-here")
            self.shoot(page, "console-404")
            page.goto(f"{place}/keys")
            page.keyboard.press("Control+k")
            page.keyboard.type("dana")
            page.locator("#palette [role=option]").nth(1).wait_for()
            self.shoot(page, "console-palette")
        with self.browser() as page:
            self.sign_in(page, "kim")
            page.goto(f"{self.mount}/console/")
            self.shoot(page, "console-403")

    def every(self) -> None:
        """All ways, in an order in which none spoils another."""
        for way in (self.come_in, self.owed, self.recover, self.sign_up, self.factors, self.console, self.reviewed):
            way()


def app_code(secret: str) -> str:
    """What an authenticator app showed half a minute ago (RFC 6238): the code of now is left for the next sign-in."""
    step = struct.pack(">Q", int(time.time()) // 30 - 1)
    mac = hmac.digest(base64.b32decode(secret), step, "sha1")
    place = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def submit(page: Page, *, novalidate: bool = False) -> None:
    """The main button of the page's form, and what comes of it."""
    if novalidate:
        page.evaluate("document.querySelectorAll('main form').forEach(form => form.noValidate = true)")
    with page.expect_navigation(timeout=60_000):
        page.locator("main button.btn-p").first.click()


def fill(page: Page, **values: str | bool) -> None:
    """Fields by their names."""
    for name, value in values.items():
        field = page.locator(f"main input[name={name}]")
        field.check() if value is True else field.fill(str(value))


def authenticator(page: Page) -> CDPSession:
    """A platform's own, which says yes by itself; without the list of the browser, or it would sign in at once."""
    page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    options = {"protocol": "ctap2", "automaticPresenceSimulation": True, **PLATFORM_KEY}
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp
