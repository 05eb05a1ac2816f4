"""Realm files: idempotent, atomic, honest about differences, and a round trip."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from jsonschema import Draft202012Validator

from conftest import make_realm, make_user
from identity.access.models import Role, RoleAssignment
from identity.accounts.models import User
from identity.applications.models import Application
from identity.applications.queries import get_application_by_client_id, uris_of, verify_secret
from identity.audit.models import AuditEvent
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied
from identity.oauth.models import SigningKey
from identity.realmfiles.commands import Applied, apply_realm_file
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.queries import export_realm
from identity.realmfiles.rules import as_yaml, parse
from identity.realmfiles.schema import json_schema
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import secrets_of

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "identity" / "realmfiles" / "demo" / "acme.yaml"
ENVIRONMENT = {
    "DEMO_STOREFRONT_SECRET": "s" * 40,
    "DEMO_PEOPLE_HUB_SECRET": "p" * 40,
    "DEMO_BILLING_SYNC_SECRET": "b" * 40,
    "DEMO_PASSWORD": "correct horse battery",
    "REALMKEEP_EXPORT_PASSPHRASE": "a long passphrase",
}
SMALL = """
version: 1
realm: {slug: small, name: Small}
applications:
  - client_id: portal
    name: Portal
    redirect_uris: [https://app.example/cb]
users:
  - {key: dana, email: Dana@Example.com, name: Dana, password: correct horse battery}
"""


def apply(text: str, **options: Any) -> Applied:
    return apply_realm_file(
        system_actor(Realm().pk), document=parse(text), environment=options.pop("environment", ENVIRONMENT), **options
    )


def events(realm: Realm) -> int:
    return AuditEvent.objects.filter(realm_id=realm.pk).count()


def test_a_file_makes_a_realm_and_generates_the_secret_that_it_does_not_name(db: None) -> None:
    applied = apply(SMALL)
    assert applied.realm.slug == "small"
    with realm_scope(applied.realm):
        application = get_application_by_client_id("portal")
        assert application is not None
        assert verify_secret(application, applied.secrets["portal"]) is not None
        assert User.objects.get(key="dana").email == "dana@example.com"
        assert SigningKey.objects.filter(status="active").exists()
    assert "+ applications[portal]" in applied.diff


def test_applying_twice_changes_nothing_and_says_nothing(db: None) -> None:
    demo = DEMO.read_text()
    first = apply(demo)
    before = events(first.realm)
    second = apply(demo)
    assert second.diff == []
    assert second.secrets == {}
    assert events(first.realm) == before


def test_only_what_the_file_names_changes_and_each_difference_is_a_line(db: None) -> None:
    realm = apply(SMALL).realm
    applied = apply(
        "realm: {slug: small, settings: {sign_up_open: true}}\n"
        "applications: [{client_id: portal, redirect_uris: [https://app.example/new]}]\n"
        "users: [{key: dana, name: Dana Okafor}]\n".replace("{key: dana,", "{key: dana, email: dana@example.com,")
    )
    assert applied.diff == [
        "+ realm.settings: {'sign_up_open': True}",
        "~ applications[portal].redirect_uris: ['https://app.example/cb'] → ['https://app.example/new']",
        "~ users[dana].name: Dana → Dana Okafor",
    ]
    with realm_scope(realm):
        assert Application.objects.get(client_id="portal").name == "Portal"


def test_a_dry_run_prints_the_same_differences_and_leaves_nothing(db: None) -> None:
    dry = apply(SMALL, dry_run=True)
    assert not Realm.objects.filter(slug="small").exists()
    assert AuditEvent.objects.filter(realm_id=dry.realm.pk).count() == 0
    assert dry.diff == apply(SMALL).diff


def test_a_refusal_names_the_place_and_leaves_nothing_half_done(db: None) -> None:
    broken = SMALL + "  - {key: ines, email: nonsense}\n"
    with pytest.raises(RealmFileInvalid) as refused:
        apply(broken)
    assert refused.value.problems[0][0] == "users[1].email"
    assert not Realm.objects.filter(slug="small").exists()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("realm: {slug: x, colour: red}", "realm.colour"),
        ("realm: {}", "realm.slug"),
        ("realm: {slug: x}\nversion: 2", "version"),
        ("realm: {slug: x}\napplications: [{client_id: a, redirect_uris: text}]", "applications[0].redirect_uris"),
        ("realm: {slug: x}\napplications: [{client_id: a}, {client_id: a}]", "applications[1]"),
        ("realm: {slug: x}\napplications: [{client_id: a, secret: {env: lower}}]", "applications[0].secret.env"),
        ("realm: {slug: x}\nusers: [{name: Nobody}]", "users[0]"),
        ("realm: {slug: x}\nroles: [{name: r, permissions: ['users:read']}]", "roles[0].permissions"),
        ("realm: {slug: x, slug: y}", "line 1"),
        ("realm: {slug: [", "line 1"),
        ("- a list", "file"),
        ("realm: !!python/object/apply:os.system ['true']", "line 1"),
    ],
)
def test_errors_name_the_path_in_the_file(text: str, path: str) -> None:
    with pytest.raises(RealmFileInvalid) as refused:
        parse(text)
    assert refused.value.problems[0][0] == path


@pytest.mark.parametrize(
    ("addition", "path"),
    [
        ("realm: {slug: Small}", "realm.slug"),
        ("realm: {slug: small, settings: {sign_up_open: 3}}", "realm.sign_up_open"),
        ("realm: {slug: small, settings: {nothing: 3}}", "realm.nothing"),
        ("realm: {slug: small}\nroles: [{name: r, application: none}]", "roles[0].application"),
        ("realm: {slug: small}\nusers: [{email: a@b.example, console_roles: [Emperor]}]", "users[0].console_roles[0]"),
        (
            "realm: {slug: small}\napplications: [{client_id: abc, name: A, secret: {env: MISSING},"
            " redirect_uris: [https://a.example]}]",
            "applications[0].secret.env",
        ),
        (
            "realm: {slug: small}\napplications: [{client_id: abc, redirect_uris: ['http://evil.example/']}]",
            "applications[0].redirect_uris",
        ),
    ],
)
def test_rules_of_the_rooms_are_reported_with_the_path(addition: str, path: str, db: None) -> None:
    with pytest.raises(RealmFileInvalid) as refused:
        apply(addition)
    assert refused.value.problems[0][0] == path


def test_prune_deletes_only_in_sections_that_the_file_has(db: None) -> None:
    realm = apply(SMALL).realm
    apply("realm: {slug: small}\nroles: [{name: customer}]")
    kept = apply("realm: {slug: small}\napplications: []")
    assert kept.diff == []
    pruned = apply("realm: {slug: small}\napplications: []", prune=True)
    assert pruned.diff == ["- applications[portal]"]
    with realm_scope(realm):
        assert User.objects.filter(key="dana").exists()
        assert Role.objects.filter(name="customer").exists()
    pruned = apply("realm: {slug: small}\nusers: []\nroles: []", prune=True)
    assert sorted(pruned.diff) == ["- roles[application customer]", "- users[dana]"]


def test_pruning_can_not_take_the_last_owner_away(db: None) -> None:
    realm = apply(SMALL.replace("name: Dana,", "name: Dana, console_roles: [Owner],")).realm
    with pytest.raises(RealmFileInvalid):
        apply("realm: {slug: small}\nusers: []", prune=True)
    with realm_scope(realm):
        assert User.objects.filter(key="dana").exists()


def test_a_password_counts_only_on_creation(db: None) -> None:
    realm = apply(SMALL).realm
    apply(SMALL.replace("correct horse battery", "another good password"))
    with realm_scope(realm):
        assert User.objects.get(key="dana").check_password("correct horse battery")


def test_roles_are_assigned_and_taken_away_only_when_pruning(db: None) -> None:
    realm = apply(DEMO.read_text()).realm
    fewer = "realm: {slug: acme}\nusers: [{key: mia, email: mia.torres@acme.example, roles: [customer]}]"
    apply(fewer)
    with realm_scope(realm):
        mia = User.objects.get(key="mia")
        assert RoleAssignment.objects.filter(user=mia).count() == 2
    parsed = yaml.safe_load(DEMO.read_text())
    for user in parsed["users"]:
        if user["key"] == "mia":
            user["roles"] = ["customer"]
    apply(yaml.safe_dump(parsed), prune=True)
    with realm_scope(realm):
        assert RoleAssignment.objects.filter(user=mia).count() == 1


ACTING = """
realm: {slug: small, name: Small}
resource_servers: [{identifier: "https://api.example", name: API}]
applications:
  - {client_id: api, name: API, type: service, grant_types: [client_credentials], acts_for: "https://api.example"}
"""


def test_an_application_acts_for_the_api_that_the_file_names(db: None) -> None:
    realm = apply(ACTING).realm
    assert apply(ACTING).diff == []
    with realm_scope(realm):
        application = Application.objects.select_related("acts_for").get(client_id="api")
        assert application.acts_for is not None
        assert application.acts_for.identifier == "https://api.example"
        exported = export_realm(system_actor(realm.pk))
    assert exported["applications"][0]["acts_for"] == "https://api.example"
    with pytest.raises(RealmFileInvalid) as refused:
        apply(ACTING.replace('acts_for: "https://api.example"', 'acts_for: "urn:other"'))
    assert refused.value.problems[0][0] == "applications[0].acts_for"


def test_an_export_applied_to_an_empty_database_gives_the_same_export(db: None, tmp_path: Path) -> None:
    realm = apply(DEMO.read_text()).realm
    with realm_scope(realm):
        first = export_realm(system_actor(realm.pk), with_secrets=True)
    again = yaml.safe_load(as_yaml(first))
    again["realm"]["slug"] = "copy"
    copy = apply(yaml.safe_dump(again)).realm
    with realm_scope(copy):
        second = export_realm(system_actor(copy.pk), with_secrets=True)
    second["realm"]["slug"] = "acme"
    assert second == first


def test_ac_10_an_export_holds_no_client_secret_and_no_password_unless_asked(db: None) -> None:
    realm = apply(DEMO.read_text()).realm
    with realm_scope(realm):
        text = as_yaml(export_realm(system_actor(realm.pk)))
    for value in ENVIRONMENT.values():
        assert value not in text
    assert "argon2" not in text
    assert "sealed" not in text


def test_signing_keys_move_with_the_passphrase_and_not_without(
    db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    realm = apply(SMALL).realm
    monkeypatch.setenv("REALMKEEP_EXPORT_PASSPHRASE", ENVIRONMENT["REALMKEEP_EXPORT_PASSPHRASE"])
    target = tmp_path / "small.yaml"
    call_command("realm", "export", "small", "--with-secrets", "--output", str(target))
    assert target.stat().st_mode & 0o077 == 0
    data = yaml.safe_load(target.read_text())
    data["realm"]["slug"] = "moved"
    with pytest.raises(RealmFileInvalid) as refused:
        apply(yaml.safe_dump(data), environment={"REALMKEEP_EXPORT_PASSPHRASE": "not the passphrase"})
    assert refused.value.problems[0][0] == "signing_keys[0].sealed"
    moved = apply(yaml.safe_dump(data)).realm
    with realm_scope(realm):
        kid = SigningKey.objects.get(status="active", alg="ES256").kid
    with realm_scope(moved):
        assert SigningKey.objects.get(status="active", alg="ES256").kid == kid
    assert AuditEvent.objects.filter(realm_id=realm.pk, type="key.exported").exists()


def test_an_environment_secret_is_added_beside_the_old_one(db: None) -> None:
    text = SMALL.replace("name: Portal", "name: Portal\n    secret: {env: PORTAL_SECRET}")
    realm = apply(text, environment={"PORTAL_SECRET": "o" * 32}).realm
    apply(text, environment={"PORTAL_SECRET": "n" * 32})
    with realm_scope(realm):
        application = get_application_by_client_id("portal")
        assert application is not None
        assert verify_secret(application, "o" * 32)
        assert verify_secret(application, "n" * 32)
        assert uris_of(application) == ["https://app.example/cb"]


def test_ti_02_a_file_changes_no_other_realm(db: None) -> None:
    other = make_realm("other", "Other")
    make_user(other, "dana@example.com")
    before = events(other)
    apply(SMALL)
    apply("realm: {slug: small}\nusers: []\napplications: []", prune=True)
    assert events(other) == before
    with realm_scope(other):
        assert User.objects.filter(email="dana@example.com").exists()


def test_a_person_can_not_apply_files_or_export_without_reading(as_user_a: Actor, realm_a: Realm) -> None:
    with pytest.raises(PermissionDenied):
        apply_realm_file(as_user_a, document=parse(SMALL), environment={})
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        export_realm(as_user_a)


def test_the_command_prints_differences_and_names_what_is_wrong(db: None, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    out = io.StringIO()
    call_command("realm", "apply", str(path), "--dry-run", stdout=out)
    assert "+ applications[portal]" in out.getvalue()
    assert "nothing was changed" in out.getvalue()
    path.write_text("realm: {}")
    with pytest.raises(CommandError, match=r"realm\.slug"):
        call_command("realm", "apply", str(path))
    with pytest.raises(CommandError, match="can't be read"):
        call_command("realm", "apply", str(tmp_path / "absent.yaml"))


def test_the_published_schema_is_the_one_in_use_and_accepts_the_demo() -> None:
    published = json.loads((ROOT / "docs" / "realm-file.schema.json").read_text())
    assert published == json_schema(), "write it anew: manage.py realm schema > docs/realm-file.schema.json"
    assert list(Draft202012Validator(published).iter_errors(yaml.safe_load(DEMO.read_text()))) == []


GROUPS = (
    SMALL.replace(
        "    name: Portal\n", "    name: Portal\n    managers: [{user: dana, permissions: [applications:read]}]\n"
    )
    + """  - {key: ravi, email: ravi@example.com, name: Ravi}
organizations:
  - slug: retail
    name: Retail
    members: [dana, ravi@example.com]
    managers: [{user: ravi, permissions: [users:read, organizations:read]}]
"""
)


def test_organizations_come_with_members_by_key_and_managers(db: None) -> None:
    realm = apply(GROUPS).realm
    with realm_scope(realm):
        data = export_realm(system_actor(realm.pk))
    assert data["organizations"] == [
        {
            "slug": "retail",
            "name": "Retail",
            "members": ["dana", "ravi"],
            "managers": [{"user": "ravi", "permissions": ["organizations:read", "users:read"]}],
        }
    ]
    assert data["applications"][0]["managers"] == [{"user": "dana", "permissions": ["applications:read"]}]
    before = events(realm)
    assert apply(GROUPS).diff == []
    assert events(realm) == before


def test_members_and_managers_are_taken_away_only_when_pruning(db: None) -> None:
    realm = apply(GROUPS).realm
    less = GROUPS.replace("[dana, ravi@example.com]", "[dana]").replace(
        "[users:read, organizations:read]", "[users:read]"
    )
    less = less.replace("[{user: dana, permissions: [applications:read]}]", "[]")
    assert apply(less).diff == []
    apply(less, prune=True)
    with realm_scope(realm):
        data = export_realm(system_actor(realm.pk))
        assert data["organizations"][0]["members"] == ["dana"]
        assert data["organizations"][0]["managers"] == [{"user": "ravi", "permissions": ["users:read"]}]
        assert "managers" not in data["applications"][0]
    assert "- organizations[retail]" in apply(less.replace("slug: retail", "slug: other"), prune=True).diff


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (("[dana, ravi@example.com]", "[dana, nobody]"), "organizations[0].members[1]"),
        (("{user: ravi,", "{user: nobody,"), "organizations[0].managers[0].user"),
        (("[users:read, organizations:read]", "[keys:rotate]"), "organizations[0].managers"),
        (("slug: retail", "slug: Not A Slug"), "organizations[0]"),
    ],
)
def test_what_is_wrong_with_an_organization_is_named_by_its_place(db: None, wrong: tuple[str, str], place: str) -> None:
    with pytest.raises(RealmFileInvalid) as refusal:
        apply(GROUPS.replace(*wrong))
    assert any(place in path for path, _text in refusal.value.problems)
    assert not Realm.objects.filter(slug="small").exists()


PROVIDERS = """
version: 1
realm: {slug: small}
providers:
  - alias: corp
    name: Corp ID
    kind: oidc
    client_id: realmkeep
    secret: {env: CORP_SECRET}
    settings: {issuer: https://id.corp.example, trust_email: true}
    domains: [corp.example]
    sign_up: create
  - {alias: code, kind: github, client_id: gh, secret: {env: CODE_SECRET}, enabled: false}
"""
SECRETS = {"CORP_SECRET": "first-secret", "CODE_SECRET": "second-secret"}


def test_providers_come_from_a_file_with_secrets_of_the_environment(db: None) -> None:
    apply(SMALL)
    made = apply(PROVIDERS, environment=SECRETS)
    assert made.diff == ["+ providers[corp]", "+ providers[code]"]
    with realm_scope(made.realm):
        corp, code = IdentityProvider.objects.order_by("position")
        assert (corp.alias, corp.sign_up, corp.domains) == ("corp", "create", ["corp.example"])
        assert secrets_of(corp) == {"client_secret": "first-secret"}
        assert not code.enabled
    before = events(made.realm)
    assert apply(PROVIDERS, environment=SECRETS).diff == []
    assert events(made.realm) == before
    changed = PROVIDERS.replace("sign_up: create", "sign_up: approve").replace("enabled: false", "enabled: true")
    apply(changed, environment={**SECRETS, "CORP_SECRET": "another"})
    with realm_scope(made.realm):
        corp, code = IdentityProvider.objects.order_by("position")
        assert (corp.sign_up, secrets_of(corp)["client_secret"], code.enabled) == ("approve", "another", True)


def test_providers_are_exported_without_secrets_and_pruned(db: None) -> None:
    apply(SMALL)
    realm = apply(PROVIDERS, environment=SECRETS).realm
    with realm_scope(realm):
        data = export_realm(system_actor(realm.pk), with_secrets=True)
    assert [each["alias"] for each in data["providers"]] == ["corp", "code"]
    assert data["providers"][0]["secret"] == {"env": "PROVIDER_CORP_SECRET"}
    assert "first-secret" not in as_yaml(data)
    apply("version: 1\nrealm: {slug: small}\nproviders: []\n", prune=True)
    with realm_scope(realm):
        assert not IdentityProvider.objects.exists()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("https://id.corp", "http://id.corp"), "providers[0].issuer"),
        (("{env: CORP_SECRET}", "{env: NOT_THERE}"), "providers[0].secret.env"),
        (("alias: code,", "alias: corp,"), "providers[1]"),
        (("kind: github,", ""), "providers[1].kind"),
        (("sign_up: create", "sign_up: all"), "providers[0].sign_up"),
    ],
)
def test_a_refused_provider_is_named_by_its_place(change: tuple[str, str], place: str, db: None) -> None:
    apply(SMALL)
    with pytest.raises(RealmFileInvalid) as refused:
        apply(PROVIDERS.replace(*change), environment=SECRETS)
    assert refused.value.problems[0][0] == place
    assert not IdentityProvider.all_realms.exists()


def test_ac_10_a_file_that_moves_a_provider_gives_its_secret_again(db: None) -> None:
    apply(SMALL)
    realm = apply(PROVIDERS, environment=SECRETS).realm
    moved = PROVIDERS.replace("id.corp.example", "id.other.example")
    with pytest.raises(RealmFileInvalid) as refused:
        apply(moved.replace("    secret: {env: CORP_SECRET}\n", ""), environment=SECRETS)
    assert refused.value.problems[0][0] == "providers[0].secret"
    with realm_scope(realm):
        assert IdentityProvider.objects.get(alias="corp").settings["issuer"] == "https://id.corp.example"
    apply(moved, environment={**SECRETS, "CORP_SECRET": "of-the-other"})
    with realm_scope(realm):
        corp = IdentityProvider.objects.get(alias="corp")
        assert (corp.settings["issuer"], secrets_of(corp)["client_secret"]) == (
            "https://id.other.example",
            "of-the-other",
        )
    back = apply(PROVIDERS, environment={**SECRETS, "CORP_SECRET": "of-the-other"})
    assert back.diff, "The same secret, given again, may go to another address."


OWNED = """
version: 1
realm: {slug: small}
users:
  - {key: olga, email: olga@small.example, email_verified: true, password: {env: OLGA}, console_roles: [owner]}
"""


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("settings: {password_sign_in: false}", "realm.settings.password_sign_in"),
        ("settings: {password_sign_in: false, passkey_sign_in: true}", "realm.settings.password_sign_in"),
    ],
)
def test_ac_08_a_file_leaves_an_owner_who_can_sign_in(more: str, place: str, db: None) -> None:
    apply(SMALL)
    realm = apply(OWNED, environment={**ENVIRONMENT, "OLGA": "correct horse battery"}).realm
    before = events(realm)
    file = "version: 1\nrealm: {slug: small, %s}\n"
    with pytest.raises(RealmFileInvalid) as refused:
        apply(file % more)
    assert refused.value.problems[0][0] == place
    assert "No owner" in refused.value.problems[0][1]
    assert Realm.objects.get(pk=realm.pk).setting("password_sign_in")
    assert events(realm) == before
    # All sections together count: here codes to the owner's confirmed address take over.
    apply(file % "settings: {password_sign_in: false, email_code_sign_in: true}")
    assert not Realm.objects.get(pk=realm.pk).setting("password_sign_in")


def test_a_realm_that_nobody_owns_yet_takes_any_policy(db: None) -> None:
    realm = apply("version: 1\nrealm: {slug: empty, settings: {password_sign_in: false}}\n").realm
    apply("version: 1\nrealm: {slug: empty, settings: {passkey_sign_in: false}}\n")
    assert not Realm.objects.get(pk=realm.pk).setting("passkey_sign_in")
