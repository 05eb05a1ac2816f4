"""Writes of sessions and of the devices that people come from."""

from identity.sessions.commands.devices import confirm_device, deny_device, forget_device, note_device
from identity.sessions.commands.ending import (
    contain_sessions,
    end_session,
    end_sessions,
    end_sessions_of_application,
    end_sessions_of_user,
    sign_out,
)
from identity.sessions.commands.limiting import make_room
from identity.sessions.commands.noting import begin_session, note_application_use, note_authentication

__all__ = [
    "begin_session",
    "confirm_device",
    "contain_sessions",
    "deny_device",
    "end_session",
    "end_sessions",
    "end_sessions_of_application",
    "end_sessions_of_user",
    "forget_device",
    "make_room",
    "note_application_use",
    "note_authentication",
    "note_device",
    "sign_out",
]
