"""Organizations: groups of people with a name, who belongs to them, and who helps there."""
