"""Mail by SMTP."""

import smtplib
import ssl
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from identity.courier.providers.base import Parcel, Undeliverable

TIMEOUT = 10


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
