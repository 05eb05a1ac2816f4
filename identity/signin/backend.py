"""Who a name and a password belong to, in the realm of the moment and nowhere else."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from identity.accounts.models import User
from identity.accounts.queries import find_user_by_identifier, user_by_id
from identity.signin.hashing import verify_password


class RealmBackend(BaseBackend):
    """Sign-in by identifier and password. What a person may do is the Actor's: permissions are never asked here."""

    def authenticate(
        self, request: HttpRequest | None, email: str = "", password: str = "", **credentials: Any
    ) -> User | None:
        """The usable person of this realm whom name and password belong to. Counts nothing: see signin.commands."""
        user = find_user_by_identifier(email) if email else None
        right = verify_password(user.password if user else None, password)
        return user if user is not None and right and user.is_active else None

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session; one of another realm, or who is locked or disabled, is nobody."""
        user = user_by_id(user_id)
        return user if user is not None and user.is_active else None
