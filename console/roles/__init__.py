"""Roles: what each allows, who holds it, and the realm's own ones."""
