"""From a realm's brand color to an accent scale that is readable in both themes. Pure: asks nothing.

The hue is never changed. Where the brand color lacks contrast, its lightness is shifted, and the page that sets it
can say so (`Accent.shifted`).
"""

import math
import re
from dataclasses import dataclass

from identity.realms.rules import DEFAULT_ACCENT

TEXT_CONTRAST = 4.5
LIGHT_SURFACE = "#ffffff"
DARK_SURFACE = "#11141c"
DARK_ON_ACCENT = "#081014"
WHITE = "#ffffff"

_HEX = re.compile(r"#[0-9a-f]{6}")
# (step, lightness, share of the accent's chroma); 600 and 400 are placed by contrast, 700 and 300 follow them.
_STEPS = (
    (50, 0.972, 0.14), (100, 0.94, 0.3), (200, 0.88, 0.58), (300, 0.80, 0.95), (400, 0.74, 1.1), (500, 0.60, 1.1),
    (600, 0.495, 1.0), (700, 0.43, 0.86), (800, 0.36, 0.7), (900, 0.29, 0.54), (950, 0.22, 0.4),
)  # fmt: skip

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Accent:
    """The scale (step to hex) of one brand color and what became of it."""

    brand: str
    scale: dict[int, str]
    dark_soft: str
    dark_line: str
    shifted: bool

    @property
    def light(self) -> str:
        """The accent on light pages: buttons and links; white text on it is readable."""
        return self.scale[600]

    @property
    def dark(self) -> str:
        """The accent on dark pages; near-black text on it is readable."""
        return self.scale[400]


def is_hex(value: str) -> bool:
    """Whether `value` is a color that we accept: # and six hexadecimal digits."""
    return bool(_HEX.fullmatch(value.lower()))


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two hex colors, 1 to 21."""
    first, second = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def accent_of(brand: str | None) -> Accent:
    """The accent scale of a brand color. What is no hex color gives the default accent."""
    color = (brand or "").lower()
    if not is_hex(color):
        color = DEFAULT_ACCENT
    lightness, chroma, hue = _to_oklch(color)
    chroma = min(chroma, 0.2)
    light = _until_readable(lightness, chroma, hue, on=WHITE, step=-0.005)
    dark = _until_readable(max(lightness, 0.74), min(chroma * 1.1, 0.18), hue, on=DARK_SURFACE, step=0.005)
    scale = {step: _hex(target, min(chroma * share, 0.2), hue) for step, target, share in _STEPS}
    shifted = abs(light - lightness) > 0.01
    scale[600] = _hex(light, chroma, hue) if shifted else color
    scale[700] = _hex(max(light - 0.065, 0.2), chroma * 0.86, hue)
    scale[400] = _hex(dark, min(chroma * 1.1, 0.18), hue)
    scale[300] = _hex(min(dark + 0.06, 0.95), chroma * 0.9, hue)
    return Accent(
        brand=color,
        scale=scale,
        dark_soft=_hex(0.27, min(chroma, 0.09) * 0.43, hue),
        dark_line=_hex(0.40, min(chroma, 0.09) * 0.7, hue),
        shifted=shifted,
    )


def stylesheet(brand: str | None) -> str:
    """The CSS of a realm's colors, for its console, sign-in and account pages alike."""
    accent = accent_of(brand)
    steps = "".join(f"--color-primary-{step}:{value};" for step, value in accent.scale.items())
    return (
        f":root{{{steps}--rk-on-accent:{WHITE}}}\n"
        f".dark{{--rk-accent-soft:{accent.dark_soft};--rk-accent-line:{accent.dark_line};"
        f"--rk-on-accent:{DARK_ON_ACCENT}}}\n"
    )


def _until_readable(lightness: float, chroma: float, hue: float, *, on: str, step: float) -> float:
    """The lightness nearest to `lightness`, in the direction of `step`, that is readable on (or under) `on`."""
    lightness = min(max(lightness, 0.1), 0.97)  # white and black start inside the loop's bounds too
    while 0.1 <= lightness <= 0.97 and contrast(_hex(lightness, chroma, hue), on) < TEXT_CONTRAST + 0.2:
        lightness += step
    return min(max(lightness, 0.1), 0.97)


def _to_rgb(color: str) -> Rgb:
    return (int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    return channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel) for channel in _to_rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklch(color: str) -> tuple[float, float, float]:
    """Björn Ottosson's OKLab, in polar form: lightness 0 to 1, chroma, hue in radians."""
    r, g, b = (_linear(channel) for channel in _to_rgb(color))
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b_axis = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b_axis), math.atan2(b_axis, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b_axis = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b_axis) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b_axis) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b_axis) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The color in hex; chroma gives way until the screen can show it."""
    while chroma > 0:
        if all(-0.0005 <= channel <= 1.0005 for channel in _from_oklch(lightness, chroma, hue)):
            break
        chroma -= 0.004
    channels = (_gamma(min(max(c, 0.0), 1.0)) for c in _from_oklch(lightness, max(chroma, 0.0), hue))
    return "#" + "".join(f"{round(min(max(c, 0.0), 1.0) * 255):02x}" for c in channels)
