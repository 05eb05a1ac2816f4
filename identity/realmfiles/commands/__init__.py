"""Applying realm files."""

from identity.realmfiles.commands.applying import Applied, apply_realm_file

__all__ = ["Applied", "apply_realm_file"]
