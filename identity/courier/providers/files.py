"""The outbox of development: messages written to files instead of sent."""

import os
from contextlib import suppress
from email.message import EmailMessage as StandardMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from django.conf import settings

from identity.courier.providers.base import Parcel
from identity.kernel import clock
from identity.realms.models import Realm

KEPT_FILES = 200


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
    """Write one short message beside the mails, where a realm has no provider yet."""
    message = StandardMessage()
    message.set_content(parcel.rendered.text)
    _write(parcel, ".sms", message)
