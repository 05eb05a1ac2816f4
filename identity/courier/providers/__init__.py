"""Ways out. Each hands one rendered message on, or raises."""

from django.conf import settings

from identity.courier.models import Channel, SmsProviderKind
from identity.courier.providers import gateway, sns, twilio
from identity.courier.providers.base import Account, Carrier, NotTaken, Parcel, Provider, Undeliverable
from identity.courier.providers.files import outbox_folder, write_mail, write_sms
from identity.courier.providers.mail import send_by_smtp

CARRIERS: dict[str, Carrier] = {
    SmsProviderKind.TWILIO: twilio.send,
    SmsProviderKind.TWILIO_VERIFY: twilio.send_code,
    SmsProviderKind.HTTP: gateway.send,
    SmsProviderKind.SNS: sns.send,
}
"""Kind of provider → what hands it a short message."""


def provider_for(channel: str) -> Provider:
    """The way out of a channel where the realm has none of its own. Raises Undeliverable when there is none."""
    if channel == Channel.EMAIL and settings.EMAIL_URL:
        return send_by_smtp
    if settings.REALMKEEP_DEVELOPMENT:
        return write_mail if channel == Channel.EMAIL else write_sms
    raise Undeliverable("no_provider")


__all__ = [
    "CARRIERS",
    "Account",
    "Carrier",
    "NotTaken",
    "Parcel",
    "Provider",
    "Undeliverable",
    "outbox_folder",
    "provider_for",
]
