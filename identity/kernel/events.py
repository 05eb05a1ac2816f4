"""Events: what has happened, as frozen dataclasses in a closed registry.

Every event is at once the audit line, the webhook topic, the live-feed row, the metric and the trigger of a security
rule. It holds ids and changed settings; personal data sits in fields marked `personal()`, which are sealed; a secret
never goes in.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform
from uuid import UUID

from django.utils.functional import Promise

Text = str | Promise


class Severity(StrEnum):
    """The one ladder for events, alerts and checks (each shown with icon and word)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    OK = "ok"


class Outcome(StrEnum):
    """Whether what the actor wanted happened."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


Changes = Mapping[str, tuple[Any, Any]]
"""Changed non-secret settings: name → (before, after), JSON values."""


def personal(*, default: str = "") -> Any:
    """A field that holds personal data: it is sealed under the key of the person that it is about."""
    return field(default=default, metadata={"personal": True}, repr=False)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. Subclasses are registered by `@event`.

    target_id: the object that it happened to. subject_id: the person whose data the personal fields are (None: nobody
    known; the data is then sealed under the realm's own key). target_name: what the target was called at that moment.
    """

    type: ClassVar[str] = ""
    target_type: ClassVar[str] = ""
    severity: ClassVar[Severity] = Severity.LOW
    outcome: ClassVar[Outcome] = Outcome.SUCCESS
    sentence: ClassVar[Text] = ""
    version: ClassVar[int] = 1
    feed: ClassVar[bool] = True
    words: ClassVar[Mapping[str, Text]] = {}
    """Values of fields (a reason) → how the sentence says them."""

    target_id: UUID | None = None
    subject_id: UUID | None = None
    target_name: str = personal()
    changes: Changes = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """The open part: JSON values, no personal data, no secret."""
        values: dict[str, Any] = {}
        for name in _names(type(self))[0]:
            value = getattr(self, name)
            if value is not None:
                values[name] = _plain(value)
        if self.changes:
            values["changes"] = {name: [_plain(old), _plain(new)] for name, (old, new) in self.changes.items()}
        return values

    def personal_data(self) -> dict[str, str]:
        """The sealed part: field → text, empty values left out."""
        return {name: str(value) for name in _names(type(self))[1] if (value := getattr(self, name))}


_parts: dict[type[Event], tuple[tuple[str, ...], tuple[str, ...]]] = {}


def _names(kind: type[Event]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of an event's open and of its sealed part. `changes` and the ids have places of their own."""
    found = _parts.get(kind)
    if found is None:
        apart = ("target_id", "subject_id", "changes")
        named = [(each.name, bool(each.metadata.get("personal"))) for each in fields(kind) if each.name not in apart]
        found = _parts[kind] = (
            tuple(name for name, sealed in named if not sealed),
            tuple(name for name, sealed in named if sealed),
        )
    return found


_AS_IS = frozenset((str, bool, int, float))


def _plain(value: Any) -> Any:
    if value is None or type(value) in _AS_IS:
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        return sorted(items) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return str(value) if isinstance(value, StrEnum) else value
    return str(value)


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The names whose values differ, each with both values."""
    names: Iterable[str] = dict.fromkeys([*before, *after])
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


registry: dict[str, type[Event]] = {}
_WIRE_NAME = re.compile(r"[a-z_]+\.[a-z_]+")
E_ = TypeVar("E_", bound=Event)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field, personal))
def event(
    name: str,
    *,
    target: str,
    sentence: Text,
    severity: Severity = Severity.LOW,
    outcome: Outcome = Outcome.SUCCESS,
    version: int = 1,
    feed: bool = True,
) -> Callable[[type[E_]], type[E_]]:
    """Registers an event class under its wire name `noun.past_verb`, which is never renamed (DECISIONS 12).

    `sentence` is translatable, with {actor}, {target} and any field of the event. `feed=False` keeps frequent events
    (each token) out of the live feed; they are audited and counted all the same.
    """
    if not _WIRE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a wire name of the form noun.past_verb.")

    def register(cls: type[E_]) -> type[E_]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        if name in registry:
            raise ValueError(f"The event {name!r} exists already.")
        made.type, made.target_type, made.sentence = name, target, sentence
        made.severity, made.outcome, made.version, made.feed = severity, outcome, version, feed
        registry[name] = made
        return made

    return register
