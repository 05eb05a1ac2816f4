"""What people see: the realm's console (Unfold's shell, our pages, htmx), account self-service, the live feed.

No tables and no rules of its own: pages call the rooms' commands and queries.
"""
