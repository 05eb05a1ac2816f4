"""Settings, URLs, entry points and the wiring of reactions."""
