"""The demo: realm files with believable people, and a few days of history."""
