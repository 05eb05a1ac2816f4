"""`manage.py realm apply FILE` and `manage.py realm export SLUG`."""

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import RealmkeepError
from identity.oauth.commands import reveal_signing_keys
from identity.realmfiles.commands import apply_realm_file
from identity.realmfiles.keys import PASSPHRASE, sealed_keys
from identity.realmfiles.queries import export_realm
from identity.realmfiles.rules import as_yaml, parse
from identity.realmfiles.schema import json_schema
from identity.realms.models import Realm
from identity.realms.queries import get_realm


class Command(BaseCommand):
    """Applies and exports realm files."""

    help = "Create or change a realm from a YAML file, or write one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """apply FILE [--dry-run] [--prune]; export SLUG [--with-secrets] [--output FILE]."""
        actions = parser.add_subparsers(dest="action", required=True)
        apply = actions.add_parser("apply", help="Create or change a realm from a file (- for standard input).")
        apply.add_argument("file")
        apply.add_argument("--dry-run", action="store_true", help="Print the differences and change nothing.")
        apply.add_argument("--prune", action="store_true", help="Delete what the file's sections don't name.")
        actions.add_parser("schema", help="Print the JSON Schema of realm files.")
        export = actions.add_parser("export", help="Write a realm as a file.")
        export.add_argument("slug")
        export.add_argument("--output", help="Where to write; standard output if absent.")
        export.add_argument(
            "--with-secrets",
            action="store_true",
            help=f"Add password hashes, and signing keys sealed with the passphrase in {PASSPHRASE}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or say what is wrong and where."""
        try:
            if options["action"] == "apply":
                self._apply(options)
            elif options["action"] == "schema":
                self.stdout.write(json.dumps(json_schema(), indent=2))
            else:
                self._export(options)
        except RealmkeepError as error:
            raise CommandError(str(error)) from error

    def _apply(self, options: dict[str, Any]) -> None:
        try:
            text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}.") from error
        applied = apply_realm_file(
            system_actor(Realm().pk),
            document=parse(text),
            environment=os.environ,
            prune=options["prune"],
            dry_run=options["dry_run"],
        )
        for line in applied.diff or ["No differences."]:
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
            return
        for client_id, secret in applied.secrets.items():
            self.stdout.write(f"Secret of {client_id}, shown this once: {secret}")

    def _export(self, options: dict[str, Any]) -> None:
        realm = get_realm(options["slug"])
        with realm_scope(realm):
            actor = system_actor(realm.pk)
            data = export_realm(actor, with_secrets=options["with_secrets"])
            if options["with_secrets"]:
                passphrase = os.environ.get(PASSPHRASE, "")
                data["signing_keys"] = sealed_keys(reveal_signing_keys(actor), passphrase)
        if not options["output"]:
            self.stdout.write(as_yaml(data), ending="")
            return
        path = Path(options["output"])
        # Password hashes may be in it: for its owner only, from the first byte on.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(as_yaml(data))
