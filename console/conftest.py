"""Fixtures of the console's tests: signed-in clients of several roles."""

from collections.abc import Callable

import pytest
from django.test import Client

from conftest import make_user
from identity.accounts.models import User
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient


@pytest.fixture
def as_owner(realm_a: Realm, owner_a: User) -> Client:
    """The console of realm A, opened by its owner."""
    return RealmClient(realm_a).sign_in(owner_a)


@pytest.fixture
def as_role(realm_a: Realm) -> Callable[[str], Client]:
    """The console of realm A, opened by somebody with a built-in role."""

    def client(role: str) -> Client:
        user = make_user(realm_a, f"{role.lower().replace(' ', '.')}@example.com", role=role, name=f"Some {role}")
        return RealmClient(realm_a).sign_in(user)

    return client


@pytest.fixture
def as_nobody(realm_a: Realm, user_a: User) -> Client:
    """Realm A, signed in by a person without any role."""
    return RealmClient(realm_a).sign_in(user_a)


@pytest.fixture
def as_operator_client(platform: Realm, operator: User) -> Client:
    """The platform's console, opened by an operator."""
    return RealmClient(platform).sign_in(operator)
