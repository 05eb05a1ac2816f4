"""Devices as lists show them: what their user agent says, with the symbol of its kind."""

from dataclasses import dataclass

from identity.kernel.agents import Agent, agent_of

_ICONS = {"phone": "mobile", "tablet": "mobile", "computer": "computer", "": "devices"}


@dataclass(frozen=True, slots=True)
class Device(Agent):
    """What a user agent says of itself; empty where it says nothing that we know."""

    @property
    def icon(self) -> str:
        """The symbol of its kind."""
        return _ICONS[self.kind]


def device_of(user_agent: str) -> Device:
    """The device that a user agent describes."""
    agent = agent_of(user_agent)
    return Device(agent.browser, agent.system, agent.kind)
