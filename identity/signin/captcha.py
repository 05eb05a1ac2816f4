"""Captchas of others: what a page shows of one, and asking its service whether the answer is right.

Another one is a class with the same two methods, named by REALMKEEP_CAPTCHA_CLASS. A realm has a site key of its own;
the secret to it comes from the environment and is never stored.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import get_language

from identity.kernel.naming import origin_of
from identity.kernel.outbound import OutboundFailed, fetch
from identity.realms.models import Realm

MAX_ANSWER = 5000
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Widget:
    """What a page needs: the script, the element that it fills, and whom the page's policy has to let in."""

    script: str
    element_class: str
    site_key: str
    origins: tuple[str, ...]


class Captcha(Protocol):
    """What a class of a captcha has."""

    def widget(self, realm: Realm) -> Widget:
        """What the page shows."""
        raise NotImplementedError

    def is_right(self, realm: Realm, data: Mapping[str, Any], *, ip: str) -> bool:
        """Whether a person answered, by the service's word. Raises OutboundFailed when it is away."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the siteverify kind. speaks: its script's parameter for the language, if the element has none."""

    script: str
    verify: str
    element_class: str
    field: str
    origins: tuple[str, ...]
    speaks: str = ""


SERVICES = {
    "turnstile": Service(
        "https://challenges.cloudflare.com/turnstile/v0/api.js",
        "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        "cf-turnstile",
        "cf-turnstile-response",
        ("https://challenges.cloudflare.com",),
    ),
    "hcaptcha": Service(
        "https://js.hcaptcha.com/1/api.js",
        "https://api.hcaptcha.com/siteverify",
        "h-captcha",
        "h-captcha-response",
        ("https://hcaptcha.com", "https://*.hcaptcha.com"),
        speaks="hl",
    ),
    "recaptcha": Service(
        "https://www.google.com/recaptcha/api.js",
        "https://www.google.com/recaptcha/api/siteverify",
        "g-recaptcha",
        "g-recaptcha-response",
        ("https://www.google.com", "https://www.gstatic.com"),
        speaks="hl",
    ),
}


class SiteVerify:
    """Turnstile, hCaptcha and reCAPTCHA: they all answer the same question in the same words."""

    def __init__(self) -> None:
        self.service = SERVICES[settings.REALMKEEP_CAPTCHA_SERVICE]
        self.verify_url = settings.REALMKEEP_CAPTCHA_URL or self.service.verify

    def widget(self, realm: Realm) -> Widget:
        """The service's own script, in the page's language, and its element."""
        key, script = str(realm.setting("captcha_site_key")), self.service.script
        if self.service.speaks:
            script = f"{script}?{urlencode({self.service.speaks: get_language() or ''})}"
        return Widget(script, self.service.element_class, key, self.service.origins)

    def is_right(self, realm: Realm, data: Mapping[str, Any], *, ip: str) -> bool:
        """Asked once: the service takes each answer a single time. An answer made for another host is none."""
        response = str(data.get(self.service.field, ""))
        if not 0 < len(response) <= MAX_ANSWER:
            return False
        body = {"secret": secret_of(realm), "response": response, "remoteip": ip}
        answer = fetch(
            "POST",
            self.verify_url,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode(body).encode(),
            seconds=SECONDS,
        )
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise OutboundFailed from None
        if not answer.is_success or not isinstance(said, dict):
            raise OutboundFailed
        host = said.get("hostname")
        return said.get("success") is True and host in (None, "", urlsplit(origin_of(realm)).hostname)


def secret_of(realm: Realm) -> str:
    """The secret to the realm's site key: its own, else the installation's; empty when there is none."""
    secrets: Mapping[str, str] = settings.REALMKEEP_CAPTCHA_SECRETS
    return secrets.get(realm.slug) or secrets.get("", "")


def is_available(realm: Realm) -> bool:
    """Whether the operator set a captcha up that this realm can use."""
    return bool(secret_of(realm))


def captcha() -> Captcha:
    """The installation's captcha."""
    made: Captcha = import_string(settings.REALMKEEP_CAPTCHA_CLASS)()
    return made
