"""The realm's applications: registering, connecting, changing and ending them; APIs and their scopes."""
