"""Pure decisions about a short message's text: how many segments it takes, and how to make it take one.

GSM 03.38 (3GPP TS 23.038, 6.2.1): 160 signs of its alphabet to a segment, 153 when there are several; one sign outside
of it, and the whole message is UCS-2 with 70 and 67.
"""

import re
import unicodedata
from collections.abc import Callable

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("\f^{}\\[~]|€")
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u202f": " "}
)
SHORTEST_NAME = 8
_CODE = re.compile(r"[0-9A-Za-z]{4,10}")


def segments_of(text: str) -> int:
    """How many segments a text is sent and paid as."""
    if all(char in _GSM or char in _GSM_TWICE for char in text):
        units, single, joined = [2 if char in _GSM_TWICE else 1 for char in text], 160, 153
    else:
        units, single, joined = [len(char.encode("utf-16-le")) // 2 for char in text], 70, 67
    if sum(units) <= single:
        return 1
    # A sign of two units never straddles two segments.
    segments, used = 1, 0
    for unit in units:
        if used + unit > joined:
            segments, used = segments + 1, 0
        used += unit
    return segments


def plain_text(text: str) -> str:
    """Lines without control characters, and typographic signs as the GSM alphabet has them (IN-08)."""
    lines = []
    for line in text.translate(_PLAIN).splitlines():
        kept = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in line)
        lines.append(" ".join(kept.split()))
    return "\n".join(lines).strip()


def bound_code(text: str, code: str, host: str) -> str:
    """The text with a last line that lets a browser fill in the code on this host alone.

    The format of "Origin-bound one-time codes delivered via SMS" (WICG): `@host #code`. Stops a page elsewhere from
    being filled with it.
    """
    return f"{text}\n\n@{host} #{code}" if _CODE.fullmatch(code) else text


def fitted(made: Callable[[str], str], name: str) -> str:
    """The text with the whole name in it, or with as much of the name as still fits into the fewest segments."""
    whole = made(name)
    if segments_of(whole) == 1:
        return whole
    for length in range(len(name) - 1, SHORTEST_NAME - 1, -1):
        shorter = made(name[:length].rstrip() + ".")
        if segments_of(shorter) == 1:
            return shorter
    return whole
