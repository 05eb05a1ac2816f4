"""People who manage one application or organization: shown on its page, added and taken away there."""
