"""The console's first page: what needs a decision, what is happening now, how the realm is doing."""
