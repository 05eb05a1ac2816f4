"""Ways out: SMTP, and files for development. Each is a function that sends one rendered message or raises."""

import os
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage as StandardMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from identity.courier.models import Channel
from identity.courier.rendering import Rendered
from identity.courier.rules import one_line
from identity.kernel import clock
from identity.realms.models import Realm

TIMEOUT = 10
KEPT_FILES = 200


class Undeliverable(Exception):
    """Refused for good: another try would get the same answer."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way: to whom, in which realm, and under which id (the same at every try)."""

    realm: Realm
    id: UUID
    to: str
    rendered: Rendered

    @property
    def headers(self) -> dict[str, str]:
        """The id lets a receiver drop what a repeated try doubled; the other keeps absence notes from answering."""
        host = parseaddr(settings.REALMKEEP_MAIL_FROM)[1].rpartition("@")[2] or "localhost"
        return {"Message-ID": f"<{self.id}@{host}>", "Auto-Submitted": "auto-generated"}

    @property
    def sender(self) -> str:
        """The installation's address under the realm's name."""
        address = parseaddr(settings.REALMKEEP_MAIL_FROM)[1]
        return str(Address(one_line(self.realm.name), addr_spec=address))


Provider = Callable[[Parcel], None]


def provider_for(channel: str) -> Provider:
    """The way out of a channel. Raises Undeliverable for a channel that this installation has none for."""
    if channel == Channel.EMAIL and settings.EMAIL_URL:
        return send_by_smtp
    if settings.REALMKEEP_DEVELOPMENT:
        return write_mail if channel == Channel.EMAIL else write_sms
    raise Undeliverable("no_provider")


def _backend(url: str) -> EmailBackend:
    """A connection for smtp://user:password@host:587 (STARTTLS with ?tls=1) or smtps://host:465."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise Undeliverable("EMAIL_URL must begin with smtp:// or smtps://")
    implicit = parts.scheme == "smtps"
    return EmailBackend(
        alias="courier",
        host=parts.hostname,
        port=parts.port or (465 if implicit else 25),
        username=unquote(parts.username or "") or None,
        password=unquote(parts.password or "") or None,
        use_ssl=implicit,
        use_tls=not implicit and parse_qs(parts.query).get("tls") == ["1"],
        timeout=TIMEOUT,
    )


def send_by_smtp(parcel: Parcel) -> None:
    """Hand one mail to the relay of EMAIL_URL. Raises Undeliverable for a refusal for good, OSError otherwise."""
    message = EmailMultiAlternatives(
        subject=parcel.rendered.subject,
        body=parcel.rendered.text,
        from_email=parcel.sender,
        to=[parcel.to],
        headers=parcel.headers,
    )
    message.attach_alternative(parcel.rendered.html, "text/html")
    try:
        _backend(settings.EMAIL_URL).send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        if code >= 500:
            raise Undeliverable(f"refused_{code}")
        raise
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError):
            raise Undeliverable(f"refused_{error.smtp_code}")
        raise
    except (ValueError, ssl.SSLCertVerificationError) as error:
        raise Undeliverable(type(error).__name__)


def outbox_folder(realm: Realm) -> Path:
    """Where development keeps the realm's messages; nobody but the server's own user can read it."""
    folder = Path(settings.REALMKEEP_DATA) / "outbox" / str(realm.pk)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _write(parcel: Parcel, suffix: str, message: StandardMessage) -> None:
    folder = outbox_folder(parcel.realm)
    message["From"], message["To"] = parcel.sender, parcel.to
    message["Date"] = format_datetime(clock.now())
    for name, value in parcel.headers.items():
        message[name] = value
    temporary = folder / f".{parcel.id}"
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes(policy=SMTP))
    temporary.replace(folder / f"{parcel.id}{suffix}")
    # Names are time-ordered: the oldest beyond the last few hundred go.
    for old in sorted(folder.glob("[!.]*"))[:-KEPT_FILES]:
        with suppress(FileNotFoundError):
            old.unlink()


def write_mail(parcel: Parcel) -> None:
    """Write one mail as a file that any mail program opens."""
    message = StandardMessage()
    message["Subject"] = parcel.rendered.subject
    message.set_content(parcel.rendered.text)
    message.add_alternative(parcel.rendered.html, subtype="html")
    _write(parcel, ".eml", message)


def write_sms(parcel: Parcel) -> None:
    """Write one short message beside the mails: the seam at which a provider of short messages will stand."""
    message = StandardMessage()
    message.set_content(parcel.rendered.text)
    _write(parcel, ".sms", message)
