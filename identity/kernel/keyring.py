"""The shape of a key of the installation. Settings import it, so it imports nothing."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Key:
    """One master key or pepper: an id of one byte and 32 secret bytes."""

    id: int
    secret: bytes = field(repr=False)
