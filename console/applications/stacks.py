"""Copy-paste settings for common stacks, filled in for one application. The secret is never among them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity.applications.models import Application, ApplicationType

SECRET_HERE = "<paste the secret, it was shown once>"


@dataclass(frozen=True, slots=True)
class Settings:
    """What goes into the templates."""

    issuer: str
    client_id: str
    scopes: str
    redirect_uri: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """One way to write an application."""

    key: str
    label: str | Promise
    types: tuple[str, ...]


WEB, SPA, NATIVE, SERVICE = (str(t) for t in ApplicationType)
STACKS = (
    Stack("nextjs", "Next.js", (WEB,)),
    Stack("django", "Django", (WEB,)),
    Stack("express", "Express", (WEB,)),
    Stack("react", "React SPA", (SPA,)),
    Stack("native", gettext_lazy("Native"), (NATIVE,)),
    Stack("python", "Python", (SERVICE,)),
    Stack("curl", "curl", (SERVICE,)),
    Stack("go", "Go", (WEB, NATIVE)),
    Stack("other", gettext_lazy("Other OIDC"), (WEB, SPA, NATIVE, SERVICE)),
)

SNIPPETS = Path(__file__).parent / "snippets"
"""A folder a stack; files in order, `1_name.txt`, with @settings@ in them. A line whose setting is empty goes."""


@lru_cache
def _snippets(key: str) -> tuple[tuple[str, str], ...]:
    files = sorted((SNIPPETS / key).glob("*.txt"))
    return tuple((file.stem.partition("_")[2], file.read_text(encoding="utf-8")) for file in files)


def _filled(text: str, values: dict[str, str]) -> str:
    lines = []
    for line in text.splitlines():
        names = re.findall(r"@(\w+)@", line)
        if any(not values[name] for name in names):
            continue
        lines.append(re.sub(r"@(\w+)@", lambda found: values[found[1]], line))
    return "\n".join(lines) + "\n"


def stacks_for(application: Application) -> list[Stack]:
    """The stacks that make sense for its type."""
    return [stack for stack in STACKS if application.type in stack.types]


def steps_of(stack: Stack, settings: Settings, redirect_uris: list[str]) -> list[dict[str, object]]:
    """What to do, in order, with files to copy."""
    values = {
        "issuer": settings.issuer,
        "client_id": settings.client_id,
        "scopes": settings.scopes,
        "redirect_uri": settings.redirect_uri,
        "secret": SECRET_HERE if settings.confidential else "",
    }
    files = [{"name": name, "text": _filled(text, values)} for name, text in _snippets(stack.key)]
    steps: list[dict[str, object]] = [{"title": _("Put these settings into your code"), "files": files}]
    if redirect_uris:
        steps.append({"title": _("Redirect URI is registered"), "note": redirect_uris[0], "files": [], "done": True})
    return steps
