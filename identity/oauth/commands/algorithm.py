"""Which algorithm new tokens are signed with."""

from django.db import transaction

from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission
from identity.oauth.commands.keys import ensure_signing_keys
from identity.oauth.models import SigningKey
from identity.realms.commands import change_realm_settings


@transaction.atomic
def choose_signing_algorithm(actor: Actor, *, alg: str) -> SigningKey:
    """Sign new tokens with `alg` (ES256 or RS256) from now on; what the other key signed stays valid.

    Raises PermissionDenied (keys:rotate and settings:write), Invalid (field signing_algorithm).
    Says realm.settings_changed and, for the first key of a kind, key.created.
    """
    actor.require(Permission.KEYS_ROTATE)
    change_realm_settings(actor, changes={"signing_algorithm": alg})
    return ensure_signing_keys(actor)
