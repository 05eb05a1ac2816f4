"""Identity providers: made, changed, switched, ordered and deleted; what each kind needs; secrets stay sealed."""

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.crypto import SealBroken
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.realms import commands, queries
from identity.realms.models import IdentityProvider, Realm

SECRET = "s3cret-of-the-upstream"


def told(realm: Realm) -> AuditEvent:
    return AuditEvent.objects.filter(realm_id=realm.pk, type__startswith="provider.").latest("id")


def make(actor: Actor, alias: str = "corp", **fields: Any) -> IdentityProvider:
    values: dict[str, Any] = {
        "name": "Corp",
        "kind": "oidc",
        "client_id": "rk",
        "secret": SECRET,
        "settings": {"issuer": "https://id.corp.example/"},
        **fields,
    }
    return commands.create_provider(actor, alias=alias, **values)


def link(provider: IdentityProvider, user: User, uid: str = "u1") -> SocialAccount:
    account: SocialAccount = SocialAccount.objects.create(
        user=user, provider=queries.provider_key(provider), uid=uid, extra_data={}
    )
    return account


def p256() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_provider_is_made_with_what_its_kind_needs_and_said(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a, domains=["Corp.example"])
        assert (provider.position, provider.scopes) == (0, ["openid", "email", "profile"])
        assert provider.settings == {"issuer": "https://id.corp.example"}
        assert provider.domains == ["corp.example"]
        assert queries.secrets_of(provider) == {"client_secret": SECRET}
        assert make(as_owner_a, "other").position == 1
    row = told(realm_a)
    assert (row.type, row.payload["alias"]) == ("provider.created", "other")
    everything = str(list(AuditEvent.objects.filter(realm_id=realm_a.pk).values("payload", "pii")))
    assert SECRET not in everything
    assert SECRET.encode() not in bytes(provider.secrets_sealed or b"")


def test_dp_02_a_sealed_secret_opens_in_no_other_row(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        one, two = make(as_owner_a), make(as_owner_a, "two")
        two.secrets_sealed = one.secrets_sealed
        with pytest.raises(SealBroken):
            queries.secrets_of(two)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"alias": "Corp"}, "alias"),
        ({"alias": "callback"}, "alias"),
        ({"alias": "a~b"}, "alias"),
        ({"kind": "saml"}, "kind"),
        ({"name": " "}, "name"),
        ({"client_id": ""}, "client_id"),
        ({"secret": ""}, "client_secret"),
        ({"secret": "two\nlines"}, "client_secret"),
        ({"settings": {}}, "issuer"),
        ({"settings": {"issuer": "http://id.corp.example"}}, "issuer"),
        ({"settings": {"issuer": "https://user@id.corp.example"}}, "issuer"),
        ({"settings": {"issuer": "https://id.corp.example/?x=1"}}, "issuer"),
        ({"settings": {"issuer": "file:///etc/passwd"}}, "issuer"),
        ({"settings": {"issuer": "https://id.corp.example", "tenant": "x"}}, "tenant"),
        ({"settings": {"issuer": "https://id.corp.example", "token_auth": "jwt"}}, "token_auth"),
        ({"settings": {"issuer": "https://id.corp.example", "trust_email": "yes"}}, "trust_email"),
        ({"kind": "apple", "settings": {"team_id": "ABCDE12345", "key_id": "KEY1234567"}}, "private_key"),
        ({"kind": "apple", "secret": "x", "settings": {"team_id": "short", "key_id": "KEY1234567"}}, "team_id"),
        ({"kind": "microsoft", "settings": {}}, "tenant"),
        ({"kind": "oauth2", "settings": {"authorization_endpoint": "https://x.example/a"}}, "subject_claim"),
        ({"scopes": ["email"]}, "scopes"),
        ({"scopes": ["openid", "two words"]}, "scopes"),
        ({"attribute_mapping": {"is_superuser": "admin"}}, "attribute_mapping"),
        ({"attribute_mapping": {"status": "status"}}, "attribute_mapping"),
        ({"attribute_mapping": {"name": "a b"}}, "attribute_mapping"),
        ({"amr_mapping": {"mfa": "admin"}}, "amr_mapping"),
        ({"domains": ["no domain"]}, "domains"),
        ({"sign_up": "anything"}, "sign_up"),
    ],
)
def test_what_a_provider_may_not_be_names_its_field(
    fields: dict[str, Any], field: str, realm_a: Realm, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a), pytest.raises(Invalid) as refused:
        make(as_owner_a, **fields)
    assert refused.value.field == field
    assert IdentityProvider.all_realms.count() == 0


def test_apples_key_is_a_p_256_key(realm_a: Realm, as_owner_a: Actor) -> None:
    settings = {"team_id": "ABCDE12345", "key_id": "KEY1234567"}
    wrong = ec.generate_private_key(ec.SECP384R1())
    pem = wrong.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with realm_scope(realm_a):
        with pytest.raises(Invalid):
            make(as_owner_a, kind="apple", settings=settings, secret=pem)
        provider = make(as_owner_a, kind="apple", settings=settings, secret=p256())
        assert list(queries.secrets_of(provider)) == ["private_key"]
        assert provider.scopes == ["name", "email"]


def test_a_domain_leads_to_one_provider_and_each_realm_has_its_own(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor
) -> None:
    with realm_scope(realm_a):
        make(as_owner_a, domains=["corp.example"])
        with pytest.raises(Invalid) as refused:
            make(as_owner_a, "two", domains=["corp.example"])
        assert refused.value.reason == "domain_taken"
        with pytest.raises(Invalid) as refused:
            make(as_owner_a)
        assert refused.value.reason == "alias_taken"
    with realm_scope(realm_b):
        make(as_owner_b, domains=["corp.example"])


def test_a_change_names_what_differs_and_an_old_version_is_refused(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        changed = commands.change_provider(
            as_owner_a,
            provider_id=provider.pk,
            expected_version=1,
            name="Corp",
            sign_up="create",
            domains=["c.example"],
        )
        assert changed.version == 2
        assert told(realm_a).payload["changes"] == {"sign_up": ["link", "create"], "domains": [[], ["c.example"]]}
        with pytest.raises(Conflict):
            commands.change_provider(as_owner_a, provider_id=provider.pk, expected_version=1, name="Other")
        before = AuditEvent.objects.count()
        commands.change_provider(as_owner_a, provider_id=provider.pk, name="Corp")
        assert AuditEvent.objects.count() == before
        for frozen in ("alias", "kind", "enabled", "secrets_sealed"):
            with pytest.raises(Invalid):
                commands.change_provider(as_owner_a, provider_id=provider.pk, **{frozen: "x"})


def test_oa_28_where_subjects_come_from_cannot_change_under_linked_people(
    realm_a: Realm, as_owner_a: Actor, user_a: User
) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        elsewhere = {"issuer": "https://id.elsewhere.example"}
        commands.change_provider(as_owner_a, provider_id=provider.pk, settings=elsewhere, secret=SECRET)
        link(provider, user_a)
        with pytest.raises(Conflict) as refused:
            commands.change_provider(
                as_owner_a, provider_id=provider.pk, settings={"issuer": "https://id.evil.example"}
            )
        assert refused.value.reason == "people_linked"
        commands.change_provider(as_owner_a, provider_id=provider.pk, settings={**elsewhere, "trust_email": True})


def test_a_secret_is_replaced_and_only_that_is_said(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        commands.set_provider_secret(as_owner_a, provider_id=provider.pk, secret="another")
        assert queries.secrets_of(IdentityProvider.objects.get()) == {"client_secret": "another"}
    assert told(realm_a).type == "provider.secret_changed"
    assert "another" not in str(told(realm_a).payload)


def test_a_provider_is_disabled_enabled_and_put_in_order(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        one, two = make(as_owner_a, "one"), make(as_owner_a, "two")
        commands.disable_provider(as_owner_a, provider_id=one.pk)
        assert [each.alias for each in queries.enabled_providers()] == ["two"]
        with pytest.raises(NotFound):
            queries.enabled_provider("one")
        with pytest.raises(Conflict):
            commands.disable_provider(as_owner_a, provider_id=one.pk)
        commands.enable_provider(as_owner_a, provider_id=one.pk)
        commands.reorder_providers(as_owner_a, provider_ids=[two.pk])
        assert [each.alias for each in queries.enabled_providers()] == ["two", "one"]
        assert told(realm_a).payload["changes"] == {"order": [["one", "two"], ["two", "one"]]}


def test_oa_28_deleting_takes_the_links_with_it(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, user_a: User, user_b: User
) -> None:
    with realm_scope(realm_b):
        kept = link(make(as_owner_b), user_b)
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        link(provider, user_a)
        with pytest.raises(Invalid):
            commands.delete_provider(as_owner_a, provider_id=provider.pk, typed_alias="")
        assert commands.delete_provider(as_owner_a, provider_id=provider.pk, typed_alias="corp") == 1
    assert list(SocialAccount.objects.values_list("pk", flat=True)) == [kept.pk]
    assert (told(realm_a).type, told(realm_a).payload["links"]) == ("provider.deleted", 1)


def test_another_realm_and_who_holds_nothing_reach_no_provider(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, as_user_a: Actor
) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        for refused in (
            lambda: make(as_user_a, "x"),
            lambda: commands.change_provider(as_user_a, provider_id=provider.pk, name="x"),
            lambda: commands.set_provider_secret(as_user_a, provider_id=provider.pk, secret="x"),
            lambda: commands.disable_provider(as_user_a, provider_id=provider.pk),
            lambda: commands.reorder_providers(as_user_a, provider_ids=[provider.pk]),
            lambda: commands.delete_provider(as_user_a, provider_id=provider.pk, typed_alias="corp"),
            lambda: queries.find_providers(as_user_a),
        ):
            with pytest.raises(PermissionDenied):
                refused()
    with realm_scope(realm_b):
        for missing in (
            lambda: commands.change_provider(as_owner_b, provider_id=provider.pk, name="x"),
            lambda: commands.set_provider_secret(as_owner_b, provider_id=provider.pk, secret="x"),
            lambda: commands.disable_provider(as_owner_b, provider_id=provider.pk),
            lambda: commands.reorder_providers(as_owner_b, provider_ids=[provider.pk]),
            lambda: commands.delete_provider(as_owner_b, provider_id=provider.pk, typed_alias="corp"),
            lambda: queries.get_provider(as_owner_b, alias="corp"),
        ):
            with pytest.raises(NotFound):
                missing()


ELSEWHERE = {"issuer": "https://id.thief.example"}


def test_ac_10_a_secret_never_goes_to_another_host_unless_it_is_given_again(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        sealed = provider.secrets_sealed
        with pytest.raises(Invalid) as refused:
            commands.change_provider(as_owner_a, provider_id=provider.pk, settings=ELSEWHERE)
        assert (refused.value.field, refused.value.reason) == ("client_secret", "secret_needed")
        provider.refresh_from_db()
        assert (provider.settings, bytes(provider.secrets_sealed)) == ({"issuer": "https://id.corp.example"}, sealed)
        moved = commands.change_provider(
            as_owner_a, provider_id=provider.pk, settings=ELSEWHERE, secret="of-the-new-host"
        )
        assert queries.secrets_of(moved) == {"client_secret": "of-the-new-host"}
    said = AuditEvent.objects.filter(realm_id=realm_a.pk, type__startswith="provider.").order_by("id")
    assert [row.type for row in said] == ["provider.created", "provider.secret_changed", "provider.changed"]


def test_ac_10_no_way_round_by_a_client_that_needs_no_secret(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a)
        public = commands.change_provider(
            as_owner_a, provider_id=provider.pk, settings={**ELSEWHERE, "token_auth": "none"}
        )
        assert public.secrets_sealed is None
        with pytest.raises(Invalid) as refused:
            commands.change_provider(as_owner_a, provider_id=provider.pk, settings=ELSEWHERE)
        assert refused.value.field == "client_secret"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
def test_ac_10_each_endpoint_is_a_place_that_things_are_sent_to(name: str, realm_a: Realm, as_owner_a: Actor) -> None:
    settings = {
        "authorization_endpoint": "https://x.example/a",
        "token_endpoint": "https://x.example/t",
        "userinfo_endpoint": "https://x.example/u",
        "subject_claim": "id",
    }
    with realm_scope(realm_a):
        provider = make(as_owner_a, kind="oauth2", settings=settings)
        with pytest.raises(Invalid) as refused:
            commands.change_provider(
                as_owner_a, provider_id=provider.pk, settings={**settings, name: "https://thief.example/x"}
            )
        assert refused.value.reason == "secret_needed"
        same = commands.change_provider(
            as_owner_a, provider_id=provider.pk, settings={**settings, "token_auth": "post"}
        )
        assert queries.secrets_of(same) == {"client_secret": SECRET}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("github", {}, {"base_url": "https://github.thief.example"}),
        ("microsoft", {"tenant": "common"}, {"tenant": "thief.example"}),
    ],
)
def test_ac_10_so_is_an_own_server_and_a_directory(
    kind: str, before: dict[str, str], after: dict[str, str], realm_a: Realm, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a):
        provider = make(as_owner_a, kind=kind, settings=before)
        with pytest.raises(Invalid) as refused:
            commands.change_provider(as_owner_a, provider_id=provider.pk, settings=after)
    assert refused.value.reason == "secret_needed"
