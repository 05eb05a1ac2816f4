"""Reads of the protocol: clients, what a token depends on, codes, refresh tokens, signing keys."""

from identity.oauth.queries.keys import get_signing_key, signing_keys

__all__ = ["get_signing_key", "signing_keys"]
