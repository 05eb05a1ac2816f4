"""Pure decisions about people: how identifiers are spelled, and which passwords are refused."""

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 256
