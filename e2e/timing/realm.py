"""A realm with people of every kind, and the doors at which names are tried."""

import logging
from collections.abc import Sequence
from itertools import count

from django.core.management import call_command

from identity.accounts.commands import create_user, disable_user, lock_user
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.oauth.commands.founding import found_realm
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

PASSWORD = "correct horse battery"


class Doors:
    """Where names are tried; each try comes from an address of its own."""

    def __init__(self, kinds: Sequence[str], people: int) -> None:
        logging.disable(logging.WARNING)
        call_command("migrate", verbosity=0)
        self.people = people
        self.realm = found_realm(
            system_actor(Realm().pk), slug="a", name="Realm A", settings={"lockout_tries": 50, "lockout_pause": 60}
        )
        self._addresses = count(1)
        actor = system_actor(self.realm.pk)
        with realm_scope(self.realm):
            for kind in kinds:
                for number in range(people):
                    if kind == "unknown":
                        continue
                    password = None if kind == "social only" else PASSWORD
                    email = self.name(kind, number)
                    user = create_user(actor, email=email, password=password, email_verified=True)
                    if kind == "disabled":
                        disable_user(actor, user_id=user.pk)
                    elif kind == "locked":
                        lock_user(actor, user_id=user.pk)

    def name(self, kind: str, number: int) -> str:
        """Names of one length, whatever their kind."""
        return f"{kind.replace(' ', '-'):x<12}{number % self.people:03}@example.com"

    def _client(self) -> RealmClient:
        at = next(self._addresses)
        return RealmClient(self.realm, REMOTE_ADDR=f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}")

    def sign_in(self, kind: str, number: int) -> None:
        """A wrong password."""
        answer = self._client().post("/signin", {"login": self.name(kind, number), "password": "a wrong password"})
        if answer.status_code != 200:
            raise RuntimeError(f"{kind}: {answer.status_code}")

    def reset(self, kind: str, number: int) -> None:
        """A wish for a link."""
        answer = self._client().post("/password/reset", {"email": self.name(kind, number)})
        if answer.status_code != 302:
            raise RuntimeError(f"{kind}: {answer.status_code}")
