"""`manage.py seed_demo`: the demo realms, once. Refused in production."""

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from identity.kernel.actor import system_actor
from identity.kernel.naming import issuer_of
from identity.realmfiles.commands import apply_realm_file
from identity.realmfiles.demo import history
from identity.realmfiles.rules import parse
from identity.realms.models import Realm
from identity.realms.mount import realm_url

FILES = Path(history.__file__).parent
PASSWORD = "welcome to realmkeep"
SECRETS = ("DEMO_STOREFRONT_SECRET", "DEMO_PEOPLE_HUB_SECRET", "DEMO_BILLING_SYNC_SECRET")


class Command(BaseCommand):
    """Seeds `platform` and `acme`; a second call changes nothing."""

    help = "Create the demo realms with people, applications and a few days of history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--describe prints where to sign in instead; --days sets the length of the history."""
        parser.add_argument("--describe", action="store_true", help="Print addresses and sign-ins, and seed nothing.")
        parser.add_argument("--days", type=int, default=4, help="Days of history (1 to 20).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed or describe."""
        if getattr(settings, "REALMKEEP_PRODUCTION", True):
            raise CommandError("The demo is not for production.")
        if options["describe"]:
            self._describe()
            return
        environment = {**demo_environment(settings.REALMKEEP_DATA), "DEMO_PASSWORD": PASSWORD}
        for name in ("platform", "acme"):
            if Realm.objects.filter(slug=name).exists():
                continue
            document = parse((FILES / f"{name}.yaml").read_text(encoding="utf-8"))
            with transaction.atomic():
                # The realm is older than its history.
                with history.before_it(options["days"]):
                    applied = apply_realm_file(system_actor(Realm().pk), document=document, environment=environment)
                if name == "acme":
                    history.write(applied.realm, days=min(max(options["days"], 1), 20))
            self.stdout.write(f"Demo realm {name} seeded.")

    def _describe(self) -> None:
        rows = [
            ("acme", "Owner of Acme (everything)", "nadia.okafor@acme.example"),
            ("acme", "Security analyst", "ravi.shah@acme.example"),
            ("acme", "Auditor (read only)", "ana.ribeiro@acme.example"),
            ("acme", "A customer, for the sample client (make demo-client)", "dana.okafor@acme.example"),
            ("platform", "Operator of all realms", "operator@realmkeep.example"),
        ]
        realms = {realm.slug: realm for realm in Realm.objects.filter(slug__in=("acme", "platform"))}
        if len(realms) < 2:
            return
        self.stdout.write(f"Open first:   {realm_url(realms['acme'], 'console:index')}")
        self.stdout.write(f"Operators:    {realm_url(realms['platform'], 'console:index')}")
        self.stdout.write(f"Self-service: {realm_url(realms['acme'], 'selfservice:overview')}")
        self.stdout.write(f"Issuer:       {issuer_of(realms['acme'])}\n")
        self.stdout.write(f"Demo sign-ins (password of all: {PASSWORD})")
        for slug, what, email in rows:
            self.stdout.write(f"  {slug:9} {email:30} {what}")


def demo_environment(data: Path) -> dict[str, str]:
    """The demo applications' secrets, made once into demo.env in the data folder, for its owner only."""
    path = data / "demo.env"
    if not path.exists():
        lines = "".join(f"{name}={secrets.token_urlsafe(32)}\n" for name in SECRETS)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(lines)
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs if name in SECRETS}
