"""Writes of the protocol: codes, tokens, refresh families, signing keys."""

from identity.oauth.commands.algorithm import choose_signing_algorithm
from identity.oauth.commands.keys import ensure_signing_keys, retire_due_keys, rotate_signing_key
from identity.oauth.commands.transfer import import_signing_key, reveal_signing_keys

__all__ = [
    "choose_signing_algorithm",
    "ensure_signing_keys",
    "import_signing_key",
    "retire_due_keys",
    "reveal_signing_keys",
    "rotate_signing_key",
]
