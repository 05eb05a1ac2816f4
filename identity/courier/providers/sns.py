"""Short messages by AWS SNS: the action Publish of its query API."""

import re
from urllib.parse import urlencode

from django.conf import settings

from identity.courier.providers.asking import ask
from identity.courier.providers.base import Account, NotTaken, Parcel, Undeliverable
from identity.courier.providers.sigv4 import Credentials, signed_headers
from identity.kernel import clock

_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_ID = re.compile(r"<MessageId>([0-9a-f-]{1,60})</MessageId>")


def send(account: Account, parcel: Parcel) -> str:
    """Publish to the number, as a message that somebody waits for. Raises NotTaken, Undeliverable."""
    region = account.text("region")
    url = settings.REALMKEEP_SNS_URL or _endpoint(region)
    attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
    if sender := account.text("sender"):
        attributes["AWS.SNS.SMS.SenderID"] = sender
    form = {
        "Action": "Publish",
        "Version": "2010-03-31",
        "PhoneNumber": parcel.to,
        "Message": parcel.rendered.text,
    }
    for at, (name, value) in enumerate(attributes.items(), start=1):
        entry = f"MessageAttributes.entry.{at}"
        form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
    body = urlencode(form).encode()
    headers = signed_headers(
        Credentials(account.text("access_key_id"), account.text("secret_access_key"), region, "sns"),
        method="POST",
        url=url,
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        body=body,
        moment=clock.now(),
    )
    answer = ask("POST", url, headers=headers, body=body)
    text = answer.body.decode(errors="replace")
    if answer.is_success:
        found = _ID.search(text)
        return found[1] if found else ""
    code = _CODE.search(text)
    name = code[1] if code else ""
    if name in ("OptedOut", "OptedOutException"):
        raise Undeliverable("opted_out")
    if name in ("InvalidParameter", "InvalidParameterValue") and "PhoneNumber" in text:
        raise Undeliverable("invalid_number")
    if name in ("Throttling", "ThrottledException", "ThrottlingException", "RequestLimitExceeded"):
        raise NotTaken("throttled", passing=True)
    raise NotTaken(f"sns_{name}" if name else f"http_{answer.status}", passing=answer.status >= 500)


def _endpoint(region: str) -> str:
    return f"https://sns.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/"
