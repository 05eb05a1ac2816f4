"""Short messages by Twilio: its Messages API, and Verify with codes of ours (docs/decisions, text messages)."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from identity.courier.providers.asking import ask
from identity.courier.providers.base import Account, NotTaken, Parcel, Undeliverable
from identity.kernel.outbound import Answer

INVALID_NUMBER = {21211, 21217, 21614, 21635, 60033, 60205}
"""Not a number, or none that gets short messages. What Twilio alone can't reach (21408, 21612) is for the next one."""
OPTED_OUT = {21610}
PASSING = {20429, 20500, 20503, 60203, 60212}


def send(account: Account, parcel: Parcel) -> str:
    """Create a message. Raises NotTaken, Undeliverable."""
    sender = account.text("sender")
    form = {
        "To": parcel.to,
        "Body": parcel.rendered.text,
        ("MessagingServiceSid" if sender.startswith("MG") else "From"): sender,
    }
    path = f"/2010-04-01/Accounts/{account.text('account_sid')}/Messages.json"
    return _asked(account, settings.REALMKEEP_TWILIO_URL + path, form)


def send_code(account: Account, parcel: Parcel) -> str:
    """Start a verification that carries our code, in Twilio's own words. Raises NotTaken, Undeliverable."""
    if not parcel.code:
        raise NotTaken("codes_only", passing=False)
    form = {"To": parcel.to, "Channel": "sms", "CustomCode": parcel.code, "Locale": parcel.language[:2]}
    return _asked(account, f"{_service(account)}/Verifications", form)


def report_used(account: Account, reference: str) -> None:
    """Tell Verify that the code of a verification was typed in rightly, as it asks of who brings own codes.

    Raises NotTaken, Undeliverable.
    """
    _asked(account, f"{_service(account)}/Verifications/{reference}", {"Status": "approved"})


def _service(account: Account) -> str:
    return f"{settings.REALMKEEP_TWILIO_VERIFY_URL}/v2/Services/{account.text('service_sid')}"


def _asked(account: Account, url: str, form: dict[str, str]) -> str:
    user = account.text("api_key_sid") or account.text("account_sid")
    basic = base64.b64encode(f"{user}:{account.text('auth_token')}".encode()).decode()
    answer = ask(
        "POST",
        url,
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )
    said = _json_of(answer)
    if answer.is_success:
        return str(said.get("sid") or "")[:80]
    code = said.get("code")
    if code in INVALID_NUMBER or (code == 60200 and "`To`" in str(said.get("message"))):
        raise Undeliverable("invalid_number")
    if code in OPTED_OUT:
        raise Undeliverable("opted_out")
    reason = f"twilio_{code}" if isinstance(code, int) else f"http_{answer.status}"
    raise NotTaken(reason, passing=code in PASSING or answer.status >= 500)


def _json_of(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
