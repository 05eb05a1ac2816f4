"""The policy of coming in: changed in one place, which sees whom it would lock out."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts.commands.fetching import realm_of
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.signin.queries import owners_with_a_way_in

NOBODY_LEFT = _("No owner of this realm could sign in any more. Give an owner another way in first.")


@transaction.atomic
def change_sign_in_policy(actor: Actor, *, changes: Mapping[str, Any], expected_version: int | None = None) -> Realm:
    """Change settings that decide who comes in and how.

    Refuses a policy under which no owner could sign in any more: nobody could take it back (the realm would have locked
    itself out). A realm whose first owner hasn't come yet has nobody to lose, so it can be set up before. Raises
    PermissionDenied, Invalid (the setting), Conflict (somebody saved meanwhile, or no owner left). Says
    realm.settings_changed.
    """
    had_one = owners_with_a_way_in(realm_of(actor).policy()).exists()
    realm = change_realm_settings(actor, changes=changes, expected_version=expected_version)
    if had_one and not owners_with_a_way_in(realm.policy()).exists():
        # Raised after the change: the transaction takes it back, and what was asked is exactly what would have been.
        raise Conflict(
            NOBODY_LEFT,
            code="nobody_left",
        )
    return realm
