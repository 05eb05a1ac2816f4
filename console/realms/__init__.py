"""Realms, in the platform's own console: founding, suspending, deleting, bringing back, entering by a visit."""
