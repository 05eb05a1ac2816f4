"""Where a realm is mounted, and what gets past the mount."""

import pytest
from pytest_django import Settings

from identity.kernel.context import current_realm, realm_scope
from identity.realms.caching import realm_key
from identity.realms.models import Realm
from identity.realms.mount import NoSuchRealm, find_mount, realm_url
from identity.sessions.testing import RealmClient


@pytest.mark.parametrize(
    ("path", "prefix", "rest"),
    [
        ("/realms/a/signin", "/realms/a", "/signin"),
        ("/realms/a/", "/realms/a", "/"),
        ("/realms/a", "/realms/a", ""),
        ("/.well-known/openid-configuration/realms/a", "/realms/a", "/.well-known/openid-configuration"),
        ("/.well-known/oauth-authorization-server/realms/a", "/realms/a", "/.well-known/oauth-authorization-server"),
    ],
)
def test_a_path_names_its_realm(realm_a: Realm, path: str, prefix: str, rest: str) -> None:
    mount = find_mount("testserver", path)
    assert mount.realm is not None
    assert (mount.realm.pk, mount.prefix, mount.path) == (realm_a.pk, prefix, rest)


@pytest.mark.parametrize("path", ["/", "/healthz", "/realmsx/a/", "/realms/A/signin", "/realms/", "/realms/a%2f/"])
def test_ti_14_a_path_that_only_resembles_a_realm_is_none(realm_a: Realm, path: str) -> None:
    assert find_mount("testserver", path).realm is None


@pytest.mark.parametrize(("host", "path"), [("testserver", "/realms/nowhere/"), ("evil.example", "/realms/a/signin")])
def test_an_unknown_realm_or_host_is_refused(realm_a: Realm, host: str, path: str) -> None:
    with pytest.raises(NoSuchRealm):
        find_mount(host, path)


def test_a_realm_with_its_own_host_leaves_only_its_console_on_the_main_host(realm_a: Realm) -> None:
    Realm.objects.filter(pk=realm_a.pk).update(host="login.a.example")
    mount = find_mount("LOGIN.a.example:443", "/signin")
    assert mount.realm is not None
    assert (mount.realm.pk, mount.prefix) == (realm_a.pk, "")
    assert find_mount("testserver", "/realms/a/console/").realm is not None
    with pytest.raises(NoSuchRealm):
        find_mount("testserver", "/realms/a/signin")


def test_lg_05_links_come_from_the_configured_origin_whatever_the_request_says(
    realm_a: Realm, settings: Settings
) -> None:
    settings.REALMKEEP_ORIGIN = "https://id.example.com"
    assert realm_url(realm_a, "account_login") == "https://id.example.com/realms/a/signin"
    client = RealmClient(realm_a)
    answer = client.get("/signin", HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "header", ["HTTP_DAPHNE_ROOT_PATH", "HTTP_SCRIPT_NAME", "HTTP_X_SCRIPT_NAME", "HTTP_X_FORWARDED_PREFIX"]
)
def test_a_prefix_from_outside_changes_nothing(realm_a: Realm, realm_b: Realm, header: str) -> None:
    answer = RealmClient(realm_a).get("/signin", **{header: "/realms/b"})
    assert answer.status_code in (200, 404)
    assert "/realms/b" not in answer.text


def test_the_realm_is_gone_after_the_request(realm_a: Realm) -> None:
    RealmClient(realm_a).get("/signin")
    assert current_realm() is None


def test_ti_16_cache_keys_begin_with_the_realm(realm_a: Realm, realm_b: Realm) -> None:
    with realm_scope(realm_a):
        mine = realm_key("portal", "", 1)
    with realm_scope(realm_b):
        assert realm_key("portal", "", 1) != mine
    assert mine.startswith(realm_a.pk.hex)
    assert realm_key("portal", "", 1).startswith("host:")


def test_se_05_a_suspended_realm_is_closed_to_everybody_at_once(realm_a: Realm, owner_a: object) -> None:
    client = RealmClient(realm_a).sign_in(owner_a)  # type: ignore[arg-type]
    assert client.get("/console/settings").status_code == 200
    Realm.objects.filter(pk=realm_a.pk).update(status="suspended")
    for path in ("/console/settings", "/account/", "/signin", "/oauth/authorize"):
        answer = client.get(path)
        assert answer.status_code in (302, 400, 403), path
        assert "Olivia" not in answer.text
