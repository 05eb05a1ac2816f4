"""The audit trail in the console: list, event, export."""
