"""allauth's account adapter: where its flows ask ours."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class RealmAccountAdapter(DefaultAccountAdapter):
    """Realm-bound answers to allauth's questions."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """The realm's own setting."""
        return bool(request.realm.setting("sign_up_open"))  # type: ignore[attr-defined]
