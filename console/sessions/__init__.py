"""Sessions: where people are signed in, through which applications; ending one, some, all of a person or application."""
