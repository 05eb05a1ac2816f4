"""A message's words: its templates in the reader's language, with the realm's name and the reader's."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils import timezone, translation

from identity.courier.models import Channel
from identity.courier.rules import name_to_greet, one_line
from identity.courier.rules.texts import bound_code, fitted, plain_text
from identity.kernel.naming import origin_of
from identity.realms.models import Realm

MAX_SMS = 600


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent. A short message has only `text`."""

    subject: str
    text: str
    html: str = ""


def language_of(realm: Realm, wished: str | None) -> str:
    """The reader's language, else the realm's, else the product's: the first one that we speak."""
    known = {code for code, _name in settings.LANGUAGES}
    for code in (wished, realm.setting("language")):
        if code in known:
            return str(code)
    return settings.LANGUAGE_CODE


def render(realm: Realm, channel: str, template: str, context: dict[str, Any], language: str) -> Rendered:
    """The message in its language and the realm's time zone. No value of the context is ever markup."""
    values = {
        **context,
        "realm": realm,
        "realm_origin": origin_of(realm),
        "name": name_to_greet(str(context.get("name") or "")),
    }
    with translation.override(language), timezone.override(realm.setting("time_zone")):
        if channel == Channel.SMS:
            return Rendered("", _short_text(realm, template, values))
        folder = f"email/{template}"
        return Rendered(
            one_line(render_to_string(f"{folder}/subject.txt", values)),
            render_to_string(f"{folder}/body.txt", values).strip() + "\n",
            render_to_string(f"{folder}/body.html", values),
        )


def _short_text(realm: Realm, template: str, values: dict[str, Any]) -> str:
    """In one segment where the realm's name can be cut for it, and with the code bound to the realm's host."""
    words = Engine.get_default().get_template(f"sms/{template}.txt")
    host = urlsplit(str(values["realm_origin"])).hostname or ""
    code = str(values.get("code") or "")

    def made(name: str) -> str:
        # No escaping: this is no markup, and "A &amp; B" would be what people read.
        inner = Context({**values, "realm": SimpleNamespace(name=name)}, autoescape=False)
        return bound_code(plain_text(words.render(inner)), code, host)

    return fitted(made, plain_text(realm.name))[:MAX_SMS]
