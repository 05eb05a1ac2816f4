"""What happens to messages. What they say, and codes and links above all, is in no event (DECISIONS 21)."""

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event


@event(
    "message.failed",
    target="message",
    sentence=_("A message ({template}) could not be delivered: {reason}"),
    severity=Severity.MEDIUM,
    outcome=Outcome.FAILURE,
)
class MessageFailed(Event):
    """Given up after the last try, or refused for good by the receiving side."""

    template: str = ""
    channel: str = ""
    reason: str = ""
    attempts: int = 0
