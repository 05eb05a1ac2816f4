"""How messages leave: SMTP where it is configured, else files that the console's Outbox shows while developing."""

import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from identity.courier.models import Channel, Message
from identity.courier.rendering import Rendered
from identity.kernel import clock
from identity.kernel.errors import Unavailable
from identity.realms.models import Realm

TIMEOUT = 15


def send(realm: Realm, message: Message, to: str, rendered: Rendered) -> None:
    """Hand a message over. Raises whatever the provider raises: the caller tries again later."""
    if message.channel == Channel.EMAIL and settings.EMAIL_URL:
        _smtp(message, to, rendered)
    elif settings.REALMKEEP_DEVELOPMENT:
        _file(realm, message, to, rendered)
    else:
        raise Unavailable


def _smtp(message: Message, to: str, rendered: Rendered) -> None:
    parts = urlsplit(settings.EMAIL_URL)
    backend = EmailBackend(
        host=parts.hostname,
        port=parts.port or (465 if parts.scheme == "smtps" else 587),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parts.scheme == "smtp+tls",
        use_ssl=parts.scheme == "smtps",
        timeout=TIMEOUT,
    )
    mail = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=settings.REALMKEEP_MAIL_FROM,
        to=[to],
        # The same id at each try, so that a mail system can drop a repeat.
        headers={"Message-ID": f"<{message.pk.hex}@{urlsplit(settings.REALMKEEP_ORIGIN).hostname}>"},
        connection=backend,
    )
    mail.attach_alternative(rendered.html, "text/html")
    mail.send(fail_silently=False)


def outbox_folder(realm: Realm) -> Path:
    """Where the realm's messages lie while developing."""
    return Path(settings.REALMKEEP_DATA) / "outbox" / realm.pk.hex


def _file(realm: Realm, message: Message, to: str, rendered: Rendered) -> None:
    folder = outbox_folder(realm)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {
        "id": str(message.pk),
        "channel": message.channel,
        "template": message.template,
        "to": to,
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html,
        "sent_at": clock.now().isoformat(),
    }
    path = folder / f"{message.pk.hex}.json"
    temporary = path.with_suffix(".part")
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
    # Whole or not at all: the Outbox page may look at any moment.
    temporary.replace(path)
