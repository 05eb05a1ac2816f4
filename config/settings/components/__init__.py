"""Settings by topic, imported by base."""
