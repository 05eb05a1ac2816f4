"""Short messages by a gateway that speaks HTTP in a way of its own."""

from typing import Any

from identity.courier.providers.asking import ask
from identity.courier.providers.base import Account, NotTaken, Parcel, Undeliverable
from identity.courier.rules.providers import filled, is_refused, is_taken


def send(account: Account, parcel: Parcel) -> str:
    """Send the request that the settings describe. Raises NotTaken, Undeliverable."""
    gateway: dict[str, Any] = dict(account.settings)
    request = filled(
        gateway,
        {
            "to": parcel.to,
            "text": parcel.rendered.text,
            "id": str(parcel.id),
            "secret": account.secrets.get("secret", ""),
        },
    )
    answer = ask(request.method, request.url, headers=request.headers, body=request.body)
    if is_taken(gateway, answer.status, answer.body):
        return ""
    if is_refused(gateway, answer.body):
        raise Undeliverable("invalid_number")
    if answer.is_success:
        raise NotTaken("rule_not_met", passing=False)
    raise NotTaken(f"http_{answer.status}", passing=answer.status >= 500)
