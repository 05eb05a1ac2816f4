"""What an authenticator app scans: the key's address, and its picture as one SVG path (no style, no image request)."""

from urllib.parse import quote, urlencode

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from identity.accounts.models import User
from identity.realms.models import Realm


def key_uri(realm: Realm, user: User, secret: str) -> str:
    """The key's address as apps read it (Google's Key Uri Format)."""
    label = f"{realm.name}:{user.get_username()}"
    return f"otpauth://totp/{quote(label)}?{urlencode({'secret': secret, 'issuer': realm.name}, quote_via=quote)}"


def picture(text: str) -> tuple[int, str]:
    """Width in modules, quiet zone included, and the dark modules as the data of one path."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return len(rows), path


def grouped(secret: str) -> str:
    """The key for people who type it: groups of four."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
