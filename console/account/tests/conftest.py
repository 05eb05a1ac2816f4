"""A browser that is signed in to a realm of a live server."""

import os

import pytest

from identity.kernel.naming import cookie_name, prefix_of
from identity.sessions.testing import RealmClient


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The Chromium that the test command found, without the sandbox that root can't have."""
    found = os.environ.get("REALMKEEP_CHROMIUM")
    return {
        **browser_type_launch_args,
        **({"executable_path": found} if found else {}),
        "args": ["--no-sandbox"],
    }


@pytest.fixture
def mount(live_server):
    """The address of a realm on the live server."""
    return lambda realm: live_server.url + prefix_of(realm)


@pytest.fixture
def sign_in(mount):
    """Puts the session of a person into a browser context."""

    def put(context, realm, user):
        key = RealmClient(realm).sign_in(user).session.session_key
        context.add_cookies([{"name": cookie_name("s", realm), "value": key, "url": mount(realm)}])

    return put
