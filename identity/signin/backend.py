"""Who a name and a password belong to, in the realm of the moment and nowhere else."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest

from identity.accounts.models import User


class RealmBackend(BaseBackend):
    """Sign-in by e-mail and password."""

    def authenticate(
        self, request: HttpRequest | None, email: str = "", password: str = "", **credentials: Any
    ) -> User | None:
        """The person, or None."""
        user = User.objects.filter(email__iexact=email).first() if email else None
        if user and check_password(password, user.password) and user.is_active:
            return user
        return None

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session, if he is usable in this realm."""
        user = User.objects.filter(pk=user_id).first()
        return user if user is not None and user.is_active else None
