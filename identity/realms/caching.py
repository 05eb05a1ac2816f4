"""Cache keys: each begins with the realm's id and a schema version, also those of libraries (TI-16)."""

from identity.kernel.context import current_realm_id

SCHEMA = 1


def realm_key(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION. Outside a realm the first field is `host`, which is no realm's id."""
    realm_id = current_realm_id()
    return f"{realm_id.hex if realm_id else 'host'}:{SCHEMA}:{key_prefix}:{version}:{key}"
