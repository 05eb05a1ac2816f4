"""Audit rows as people read them: opened personal data and a sentence in the reader's language."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _

from identity.audit.models import AuditEvent
from identity.audit.subjects import open_personal
from identity.kernel.actor import ActorKind
from identity.kernel.events import Event, Severity, registry


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence; `kind` and `id` are set where it names an object that has a page."""

    text: str
    kind: str = ""
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReadableEvent:
    """One audit row with its personal data opened."""

    row: AuditEvent
    personal: dict[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> type[Event] | None:
        """The event class, or None for a type that a newer version wrote."""
        return registry.get(self.row.type)

    @property
    def severity(self) -> Severity:
        """The event's own `level` where it has one (alerts), else its type's; unknown types are low."""
        level = self.row.payload.get("level")
        if level in set(Severity):
            return Severity(level)
        return self.definition.severity if self.definition else Severity.LOW

    @property
    def ip(self) -> str:
        """The actor's whole address, or empty."""
        return self.personal.get("ip", "")

    @property
    def user_agent(self) -> str:
        """The actor's user agent, or empty."""
        return self.personal.get("user_agent", "")

    @property
    def changes(self) -> dict[str, tuple[object, object]]:
        """Changed settings: name → (before, after)."""
        return {name: (pair[0], pair[1]) for name, pair in self.row.payload.get("changes", {}).items()}

    def actor_part(self) -> Part:
        """Who did it, as it was called then. An erased person stays an unnamed one."""
        name = self.personal.get("actor_name") or self.personal.get("actor_email", "")
        kind = self.row.actor_type
        if kind == ActorKind.SYSTEM:
            return Part(_("Realmkeep"))
        if kind == ActorKind.ANONYMOUS:
            return Part(_("Someone"))
        if kind == ActorKind.APPLICATION:
            return Part(name or _("An application"), "application", self.row.actor_id)
        if kind == ActorKind.OPERATOR:
            return Part(_("{name} (operator)").format(name=name) if name else _("An operator"))
        return Part(name or _("An erased person"), "user", self.row.actor_id)

    def target_part(self) -> Part:
        """What it happened to."""
        if self.row.target_type == "alert":
            return Part(f"ALR-{self.row.payload.get('number', '?')}", "alert", self.row.target_id)
        name = self.personal.get("target_name") or str(self.row.payload.get("name", ""))
        fallback = {
            "user": _("an erased person"),
            "application": _("an application"),
            "session": _("a session"),
            "role": _("a role"),
            "organization": _("an organization"),
            "realm": _("this realm"),
        }.get(self.row.target_type, _("something"))
        return Part(name or fallback, self.row.target_type, self.row.target_id)

    def parts(self) -> list[Part]:
        """The sentence in pieces, so that a page can link the names in it."""
        if self.definition is None:
            return [self.actor_part(), Part(f" · {self.row.type}")]
        out: list[Part] = []
        for piece in re.split(r"(\{\w+\})", str(self.definition.sentence)):
            if piece == "{actor}":
                out.append(self.actor_part())
            elif piece == "{target}":
                out.append(self.target_part())
            elif piece.startswith("{") and piece.endswith("}"):
                name = piece[1:-1]
                value = self.personal.get(name) or self.row.payload.get(name, "")
                each = map(str, value) if isinstance(value, list) else [str(value)]
                out.append(Part(", ".join(str(self.definition.words.get(text, text)) for text in each)))
            elif piece:
                out.append(Part(piece))
        if len(out) > 2 and out[-3].text and not out[-1].text and not out[-2].kind:
            # What stands behind a colon isn't known: nobody had typed a name yet.
            out[-2:] = [Part(out[-2].text.rstrip(": "))]
        return out

    def sentence(self) -> str:
        """Who did what, in the active language."""
        return "".join(part.text for part in self.parts())


def readable(rows: Iterable[AuditEvent]) -> list[ReadableEvent]:
    """The rows (of one or more realms) with their personal data opened, in the given order; one key query a realm."""
    listed = list(rows)
    opened: dict[UUID, dict[str, str]] = {}
    for realm_id in {row.realm_id for row in listed}:
        opened |= open_personal(
            realm_id, {row.id: row.pii for row in listed if row.realm_id == realm_id and row.pii is not None}
        )
    return [ReadableEvent(row, opened.get(row.id, {})) for row in listed]
