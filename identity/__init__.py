"""The core of Realmkeep: one Django app, a package ("room") per capability, one linear migration history."""
