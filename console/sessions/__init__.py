"""Sessions: where people are signed in and through which applications; ending one, some, or all of somebody."""
