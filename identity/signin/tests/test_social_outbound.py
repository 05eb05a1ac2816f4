"""Whatever asks a provider goes by our one way out: a tripwire for upgrades of allauth and for ourselves (IN-01)."""

import ast
from pathlib import Path
from typing import Any

import allauth.socialaccount
import pytest
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from django.apps import apps
from django.http import Http404, HttpRequest

from identity.kernel.context import realm_scope
from identity.kernel.outbound import OutboundSession
from identity.realms.models import Realm
from identity.signin.social import RealmSocialAdapter

SOCIALACCOUNT = Path(allauth.socialaccount.__file__).parent
HERE = Path(__file__).resolve().parents[1]
WAYS_OUT = {"requests", "urllib.request", "http.client", "httpx", "socket", "jwt", "allauth.core.internal.deferred"}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module}
    return found & WAYS_OUT


def test_in_01_no_provider_app_of_allauth_is_installed() -> None:
    """They fetch pages, tokens and keys by themselves; ours is the only one."""
    assert not [app.name for app in apps.get_app_configs() if app.name.startswith("allauth.socialaccount.providers")]


def test_in_01_what_is_used_of_allauth_asks_nobody() -> None:
    """The modules that our flow runs through. `adapter` makes sessions only in the method that we replace."""
    used = [
        "models.py",
        "internal/statekit.py",
        "internal/flows/login.py",
        "providers/base/provider.py",
        "templatetags/socialaccount.py",
    ]
    assert {name: imported(SOCIALACCOUNT / name) for name in used} == {name: set() for name in used}
    assert imported(SOCIALACCOUNT / "adapter.py") == {"requests"}


def test_in_01_our_own_modules_know_no_other_way_out() -> None:
    ours = [*HERE.glob("social*.py"), HERE / "views" / "providers.py", HERE / "commands" / "upstream.py"]
    assert len(ours) >= 7
    assert {path.name: imported(path) for path in ours} == {path.name: set() for path in ours}


def test_in_01_should_allauth_ask_it_asks_through_ours() -> None:
    adapter = get_adapter()
    assert isinstance(adapter, RealmSocialAdapter)
    assert isinstance(adapter.get_requests_session(), OutboundSession)


def test_an_unknown_provider_is_404_and_allauths_own_table_holds_none(realm_a: Realm) -> None:
    SocialApp.objects.create(provider="realm", provider_id="corp", name="Planted", client_id="x")
    request = HttpRequest()
    request.realm = realm_a  # type: ignore[attr-defined]
    with realm_scope(realm_a):
        assert get_adapter().list_apps(request) == []
        with pytest.raises(Http404):
            get_adapter().get_app(request, "corp")


def test_oa_28_allauths_ways_to_link_by_address_are_shut(settings: Any) -> None:
    assert settings.SOCIALACCOUNT_EMAIL_AUTHENTICATION is False
    assert settings.SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT is False
    assert get_adapter().authenticate_by_email(None) is None
    assert get_adapter().is_email_verified(None, "dana@example.com") is False
