"""The realm's signing keys."""
