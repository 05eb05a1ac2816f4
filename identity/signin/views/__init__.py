"""The door's pages."""
