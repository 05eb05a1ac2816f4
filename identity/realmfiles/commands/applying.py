"""Applying a realm file: the rooms' commands, in one transaction, as the system."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction

from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied
from identity.oauth.commands.founding import found_realm
from identity.realmfiles.commands.places import Environment, at_place
from identity.realmfiles.commands.pruning import WholePass
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.queries import export_realm
from identity.realmfiles.rules import differences
from identity.realmfiles.schema import RealmFile
from identity.realms.commands import change_realm_branding, change_realm_settings
from identity.realms.models import Realm
from identity.signin.commands.policies import NOBODY_LEFT
from identity.signin.queries import WAYS, owners_with_a_way_in


@dataclass(slots=True)
class Applied:
    """What applying a file did: a line for each difference, and generated secrets (client_id → text), shown once."""

    realm: Realm
    diff: list[str]
    secrets: dict[str, str] = field(default_factory=dict)


class _DryRun(Exception):
    """Rolls the transaction back once the differences are known."""


def apply_realm_file(  # house: HR03 found_realm and the other commands say it
    actor: Actor,
    *,
    document: RealmFile,
    environment: Environment,
    prune: bool = False,
    dry_run: bool = False,
) -> Applied:
    """Create or change a realm as the file says: all of it or nothing (DECISIONS 28).

    Matches by slug, client_id, role name and a user's key; changes only what the file names; deletes only with
    `prune`, and only in sections that the file has; passwords count only when a person is created. dry_run leaves
    nothing behind. Raises PermissionDenied unless the system acts, RealmFileInvalid with the path of the first
    problem. Says what the commands say.
    """
    if actor.kind != "system":
        raise PermissionDenied
    out: list[Applied] = []
    try:
        with transaction.atomic():
            out.append(_apply(document, environment, prune))
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return out[0]


def _apply(document: RealmFile, environment: Environment, prune: bool) -> Applied:
    part = document.realm
    realm = Realm.objects.filter(slug=part.slug).first()
    before: dict[str, Any] = {}
    # A realm that the file makes has nobody to lose.
    policy: dict[str, Any] | None = None
    if realm is None:
        realm = at_place(
            "realm",
            partial(
                found_realm,
                system_actor(uuid4()),
                slug=part.slug,
                name=part.name or part.slug,
                settings=part.settings,
                branding=part.branding,
            ),
        )
    else:
        with realm_scope(realm):
            system = system_actor(realm.pk)
            before = export_realm(system)
            policy = realm.policy() if owners_with_a_way_in(realm.policy()).exists() else None
            if part.settings:
                at_place("realm.settings", partial(change_realm_settings, system, changes=part.settings or {}))
            if part.name or part.branding:
                at_place("realm", partial(change_realm_branding, system, name=part.name, branding=part.branding))
    with realm_scope(realm):
        system = system_actor(realm.pk)
        secrets = WholePass(system, document, environment, prune).run()
        realm = Realm.objects.get(pk=realm.pk)
        if policy is not None and not owners_with_a_way_in(realm.policy()).exists():
            # Asked of what would have been, all sections together; the transaction takes it back.
            raise RealmFileInvalid([(_closed_by(document, policy), str(NOBODY_LEFT))])
        return Applied(realm, differences(before, export_realm(system)), secrets)


def _closed_by(document: RealmFile, policy: dict[str, Any]) -> str:
    """The place in the file that takes the last owner's way in: a setting that closes one, else a section."""
    wanted = document.realm.settings or {}
    for name in WAYS:
        if policy[name] and wanted.get(name) is False:
            return f"realm.settings.{name}"
    if document.providers is not None:
        return "providers"
    return "users" if document.users is not None else "realm.settings"
