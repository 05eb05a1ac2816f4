"""Writes of the protocol: codes, tokens, refresh families, signing keys."""

from identity.oauth.commands.keys import ensure_signing_keys, retire_due_keys, rotate_signing_key

__all__ = ["ensure_signing_keys", "retire_due_keys", "rotate_signing_key"]
