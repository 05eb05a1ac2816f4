"""People with factors, and the software authenticator that makes passkeys for tests."""

import pytest

from identity.kernel.actor import Actor, ActorKind
from identity.mfa.testing import SoftKey


def himself(user) -> Actor:
    """The person in the middle of a sign-in: he holds nothing."""
    return Actor(kind=ActorKind.USER, realm_id=user.realm_id, id=user.pk, home_realm_id=user.realm_id, name=user.name)


@pytest.fixture
def key() -> SoftKey:
    return SoftKey("http://testserver")
