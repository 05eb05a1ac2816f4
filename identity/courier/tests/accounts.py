"""Settings and secrets of providers, as tests fill them in."""

from typing import Any

from identity.courier.commands import create_sms_provider
from identity.courier.models import SmsProvider
from identity.courier.rules.providers import PLAIN_JSON
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

ACCOUNT = "AC" + "a1" * 16
SERVICE = "VA" + "b2" * 16
TOKEN = "token-that-nobody-sees"
SECRET = "gateway-secret-1"

TWILIO: dict[str, Any] = {
    "settings": {"account_sid": ACCOUNT, "sender": "+15005550006"},
    "secrets": {"auth_token": TOKEN},
}
VERIFY: dict[str, Any] = {
    "settings": {"account_sid": ACCOUNT, "service_sid": SERVICE}, "secrets": {"auth_token": TOKEN},
}  # fmt: skip
SNS: dict[str, Any] = {
    "settings": {"region": "eu-central-1", "access_key_id": "AKIDEXAMPLEAKIDEXAMP", "sender": "Acme"},
    "secrets": {"secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
}


def gateway(url: str, **settings: Any) -> dict[str, Any]:
    """A plain JSON gateway."""
    return {"settings": {**PLAIN_JSON, "url": url, **settings}, "secrets": {"secret": SECRET}}


def provider(realm: Realm, kind: str, fields: dict[str, Any], *, name: str = "", enabled: bool = True) -> SmsProvider:
    """A provider of the realm, made by the system."""
    with realm_scope(realm):
        return create_sms_provider(system_actor(realm.pk), name=name or kind, kind=kind, enabled=enabled, **fields)
