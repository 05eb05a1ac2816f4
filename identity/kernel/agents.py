"""User agents in words: "Firefox on macOS". A claim of the device itself, good enough to recognize one's own by."""

import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _

# First match wins: nearly all browsers claim to be their rivals as well.
_BROWSERS = (
    (r"\bEdgA?/|\bEdgiOS/", "Edge"),
    (r"\bOPR/|\bOPT/|\bOpera\b", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\bFirefox/|\bFxiOS/", "Firefox"),
    (r"\bHeadlessChrome/|\bChrome/|\bCriOS/|\bChromium/", "Chrome"),
    (r"\bVersion/[\d.]+.*\bSafari/", "Safari"),
    (r"\bcurl/", "curl"),
    (r"\bpython-|\bPython/", "Python"),
)
_SYSTEMS = (
    (r"\biPad\b", "iPadOS", "tablet"),
    (r"\biPhone\b|\biPod\b", "iOS", "phone"),
    (r"\bAndroid\b(?=.*\bMobile\b)", "Android", "phone"),
    (r"\bAndroid\b", "Android", "tablet"),
    (r"\bCrOS\b", "ChromeOS", "computer"),
    (r"\bWindows\b", "Windows", "computer"),
    (r"\bMac OS X\b|\bMacintosh\b", "macOS", "computer"),
    (r"\bLinux\b|\bX11\b", "Linux", "computer"),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """What a user agent says of itself; empty where it says nothing that we know."""

    browser: str = ""
    system: str = ""
    kind: str = ""

    def __str__(self) -> str:
        if self.browser and self.system:
            return _("%(browser)s on %(system)s") % {"browser": self.browser, "system": self.system}
        return self.browser or self.system or _("Unknown device")


@lru_cache(maxsize=2048)
def agent_of(user_agent: str) -> Agent:
    """What a user agent describes."""
    browser = next((name for pattern, name in _BROWSERS if re.search(pattern, user_agent)), "")
    system, kind = next(((name, kind) for pattern, name, kind in _SYSTEMS if re.search(pattern, user_agent)), ("", ""))
    return Agent(browser, system, kind)
