"""What all pages of the door share."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from identity.kernel.errors import RealmkeepError
from identity.oauth.asking import form_action
from identity.signin.failures import refusal_page
from identity.signin.requests import asking, next_of, realm_of

secret_fields = method_decorator(sensitive_post_parameters(), name="dispatch")
"""Whatever was posted shows in no error report."""


class Entrance:
    """What all pages of the door share: never stored, the asking application, and refusals as pages."""

    request: HttpRequest

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Translates what the rooms refuse; lets the form lead to the application that asks."""
        try:
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except RealmkeepError as error:
            return refusal_page(request, error)
        found = asking(request)
        if found is not None:
            # Browsers hold each redirect after a form's submission against the page's policy.
            response._csp_config = form_action(settings.SECURE_CSP, found.origin)  # type: ignore[attr-defined]
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds `asking_application`, and `next` as a hidden field."""
        parent = getattr(super(), "get_context_data", None)
        context: dict[str, Any] = parent(**kwargs) if parent else kwargs
        wanted = next_of(self.request)
        hidden = (
            format_html('<input type="hidden" name="{}" value="{}">', REDIRECT_FIELD_NAME, wanted) if wanted else ""
        )
        return {
            **context,
            "login_url": login_url(wanted),
            "sign_up_open": realm_of(self.request).setting("sign_up_open"),
            "passkeys_first": realm_of(self.request).setting("passkey_sign_in"),
            "asking_application": asking(self.request),
            "redirect_field_value": wanted,
            "redirect_field": hidden,
        }


def login_url(wanted: str = "") -> str:
    """The sign-in page, and where to go on from there."""
    query = f"?{urlencode({REDIRECT_FIELD_NAME: wanted})}" if wanted else ""
    return f"{reverse('account_login')}{query}"
