"""Identity providers: the list, adding one, its page, its test, and what ends it."""
