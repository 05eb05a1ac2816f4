"""Whether the time that a refusal takes tells anything about a name."""
