"""Pure decisions about messages, texts, numbers and providers."""

from identity.courier.rules.messages import (
    CLAIM,
    MAX_ATTEMPTS,
    MESSAGE_KEPT,
    checked_address,
    name_to_greet,
    one_line,
    wait_before,
)

__all__ = ["CLAIM", "MAX_ATTEMPTS", "MESSAGE_KEPT", "checked_address", "name_to_greet", "one_line", "wait_before"]
