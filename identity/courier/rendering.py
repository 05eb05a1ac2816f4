"""A message as text: subject, plain body and HTML body in the person's language, inside the realm's look."""

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from identity.courier.models import Channel, Message
from identity.kernel.naming import origin_of
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes out. `subject` is one line; `html` is empty for SMS."""

    subject: str
    text: str
    html: str = ""


def render(realm: Realm, message: Message, context: dict[str, Any]) -> Rendered:
    """Render the message's templates. User data in `context` is escaped in the HTML part by the engine (IN-08)."""
    values = {"realm": realm, "realm_origin": origin_of(realm), **context}
    with translation.override(message.language), timezone.override(realm.setting("time_zone")):
        if message.channel == Channel.SMS:
            return Rendered("", render_to_string(f"sms/{message.template}.txt", values).strip())
        folder = f"email/{message.template}"
        # A line break in a name must not become a header.
        subject = " ".join(render_to_string(f"{folder}/subject.txt", values).split())[:200]
        return Rendered(
            subject,
            render_to_string(f"{folder}/body.txt", values).strip() + "\n",
            render_to_string(f"{folder}/body.html", values),
        )
