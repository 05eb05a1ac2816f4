"""Providers of text messages in realm files: in their order, with secrets from the environment alone."""

from typing import Any

import pytest
import yaml

from identity.courier.models import SmsProvider
from identity.courier.queries import secrets_of
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realmfiles.commands import apply_realm_file
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.queries import export_realm
from identity.realmfiles.rules import as_yaml, parse
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db
TOKEN, KEY = "token-of-twilio", "key-of-the-gateway"
ENVIRONMENT = {"SMS_TWILIO_EU_AUTH_TOKEN": TOKEN, "SMS_GATEWAY_SECRET": KEY}
TWILIO = {
    "name": "Twilio EU", "kind": "twilio", "settings": {"account_sid": "AC" + "a1" * 16, "sender": "Acme"},
    "secrets": {"auth_token": {"env": "SMS_TWILIO_EU_AUTH_TOKEN"}},
}  # fmt: skip
GATEWAY = {
    "name": "Gateway", "kind": "http", "enabled": False,
    "settings": {
        "url": "https://sms.example.com/send", "body": '{"to": "{to}", "text": "{text}"}',
        "headers": {"Authorization": "Bearer {secret}"},
    },
    "secrets": {"secret": {"env": "SMS_GATEWAY_SECRET"}},
}  # fmt: skip


def apply(*providers: dict[str, Any], **options: Any) -> Realm:
    text = yaml.safe_dump({"version": 1, "realm": {"slug": "small"}, "sms_providers": list(providers)})
    environment = options.pop("environment", ENVIRONMENT)
    return apply_realm_file(system_actor(Realm().pk), document=parse(text), environment=environment, **options).realm


def held(realm: Realm) -> list[tuple[str, bool, dict[str, str]]]:
    with realm_scope(realm):
        rows = SmsProvider.objects.order_by("position", "id")
        return [(row.name, row.enabled, dict(secrets_of(row))) for row in rows]


def test_providers_are_made_in_the_files_order_and_twice_changes_nothing() -> None:
    realm = apply(TWILIO, GATEWAY)
    assert held(realm) == [("Twilio EU", True, {"auth_token": TOKEN}), ("Gateway", False, {"secret": KEY})]
    again = apply_realm_file(
        system_actor(Realm().pk),
        document=parse(yaml.safe_dump({"version": 1, "realm": {"slug": "small"}, "sms_providers": [TWILIO, GATEWAY]})),
        environment=ENVIRONMENT,
    )
    assert again.diff == []
    apply(GATEWAY, TWILIO)
    assert [name for name, _enabled, _secrets in held(realm)] == ["Gateway", "Twilio EU"]


def test_a_file_changes_what_it_names_and_prunes_when_told() -> None:
    realm = apply(TWILIO, GATEWAY)
    apply({"name": "gateway", "kind": "http", "enabled": True})
    assert held(realm) == [("Gateway", True, {"secret": KEY}), ("Twilio EU", True, {"auth_token": TOKEN})]
    apply(TWILIO, prune=True)
    assert [name for name, _enabled, _secrets in held(realm)] == ["Twilio EU"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"secrets": {"auth_token": {"env": "NOT_SET"}}}, "sms_providers[0].secrets.auth_token.env"),
        ({"secrets": None}, "sms_providers[0].auth_token"),
        ({"settings": {"account_sid": "x"}}, "sms_providers[0].account_sid"),
        ({"kind": "pigeon"}, "sms_providers[0].kind"),
        ({"secrets": {"auth_token": "in clear"}}, "sms_providers[0].secrets.auth_token"),
    ],
)  # fmt: skip
def test_a_refusal_names_its_place_and_leaves_nothing(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(RealmFileInvalid) as refused:
        apply({**TWILIO, **changes})
    assert refused.value.problems[0][0] == place
    assert not Realm.objects.exists()


def test_a_kind_never_changes_and_a_name_stands_once() -> None:
    apply(TWILIO)
    with pytest.raises(RealmFileInvalid):
        apply({**GATEWAY, "name": "Twilio EU"})
    with pytest.raises(RealmFileInvalid):
        apply(TWILIO, {**TWILIO, "name": "TWILIO EU"})


def test_an_export_names_variables_and_holds_no_secret() -> None:
    realm = apply(TWILIO, GATEWAY)
    with realm_scope(realm):
        data = export_realm(system_actor(realm.pk), with_secrets=True)
    text = as_yaml(data)
    assert TOKEN not in text
    assert KEY not in text
    assert data["sms_providers"][0]["secrets"] == {"auth_token": {"env": "SMS_TWILIO_EU_AUTH_TOKEN"}}
    copy = apply_realm_file(
        system_actor(Realm().pk), document=parse(text.replace("slug: small", "slug: copy")), environment=ENVIRONMENT
    )
    assert held(copy.realm) == held(realm)
