"""What an attacker tries at the door, each by its case of THREATS.md: replays, guesses without end, ways around."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from conftest import actor_of, make_user
from identity.accounts.commands import disable_user, enable_user, lock_user, unlock_user
from identity.accounts.commands.codes import MOST_TRIES
from identity.accounts.models import OneTimeCode, User, UserStatus
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, PermissionDenied
from identity.kernel.outbound import Answer, OutboundFailed
from identity.mfa import limits as factor_limits
from identity.mfa.models import FactorKind, MessageDevice
from identity.realms.models import IdentityProvider, Realm
from identity.sessions.testing import RealmClient
from identity.signin import captcha, social_protocol
from identity.signin.commands import unlock_sign_in
from identity.signin.tests.conftest import sign_in
from identity.signin.tests.test_recovery_by_phone import NUMBER, with_settings

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

BEFORE_NOON = datetime(2026, 11, 23, 11, 59, 30, tzinfo=UTC)
AFTER_NOON = BEFORE_NOON + timedelta(minutes=1)
"""Two moments in two windows of every counter."""


def at(realm: Realm, ip: str = "192.0.2.1") -> RealmClient:
    return RealmClient(realm, REMOTE_ADDR=ip)


def pause(realm: Realm, login: str = "dana@example.com") -> None:
    for _ in range(6):
        sign_in(at(realm), login, "wrong")


def codes(realm: Realm) -> list[str]:
    return [found[0] for mail in mails(realm) if (found := re.findall(r"\b\d{6}\b", mail.text))]


# --- once is once, also when the next window of the counter begins ---


def test_lg_01_an_unlock_link_serves_once_also_across_two_windows(realm_a: Realm, user_a: User) -> None:
    with clock.clock_at(BEFORE_NOON):
        pause(realm_a)
        at(realm_a).post("/signin/unlock", {"login": "dana@example.com"})
        path = path_of(mails(realm_a)[-1].links[0])
        assert at(realm_a).post(path).status_code == 302
    with clock.clock_at(AFTER_NOON):
        assert at(realm_a).post(path).status_code == 410


def test_lg_01_a_passkey_challenge_serves_once_also_across_two_windows(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        with clock.clock_at(BEFORE_NOON):
            assert factor_limits.is_first_use("challenge", BEFORE_NOON)
        with clock.clock_at(AFTER_NOON):
            assert not factor_limits.is_first_use("challenge", BEFORE_NOON)


# --- codes that were never sent ---


def test_rl_07_asking_for_more_codes_gives_no_more_guesses_at_a_number(realm_a: Realm, user_a: User) -> None:
    with_settings(realm_a, phone_verification_required=True)
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(phone=NUMBER, phone_verified_at=None)
    client = at(realm_a)
    assert sign_in(client)["Location"] == "/realms/a/signin/number"
    for _ in range(8):
        client.post("/signin/number", {"send": "1"})
        for _ in range(MOST_TRIES):
            client.post("/signin/number", {"code": "wrong"})
    assert len(codes(realm_a)) == 3
    with realm_scope(realm_a):
        # The first was replaced before anybody guessed at it; what was asked for after the third was never made.
        assert [code.tries for code in OneTimeCode.objects.order_by("id")] == [0, MOST_TRIES, MOST_TRIES]


def test_rl_08_strangers_cannot_keep_somebodys_codes_from_working(realm_a: Realm, user_a: User) -> None:
    with_settings(realm_a, email_code_sign_in=True)
    for each in range(2):
        at(realm_a, f"198.51.100.{each}").post("/signin/code", {"login": "dana@example.com"})
    client = at(realm_a)
    note = client.post("/signin/code", {"login": "dana@example.com"}).context["note"]
    code = codes(realm_a)[-1]
    for each in range(5):
        at(realm_a, f"203.0.113.{each}").post("/signin/code", {"login": "dana@example.com"})
    assert client.post("/signin/code", {"note": note, "code": code}).status_code == 302


# --- recovery, approval, rank ---


@pytest.mark.parametrize("kinds", [["sms"], ["sms", "email"]])
def test_lg_07_whoever_takes_a_number_over_gets_not_both_steps(
    realm_a: Realm, user_a: User, kinds: list[FactorKind]
) -> None:
    with_settings(realm_a, phone_sign_in=True, default_country="DE")
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(
            phone=NUMBER, phone_verified_at=clock.now(), second_factor_since=clock.now()
        )
        for kind in kinds:
            MessageDevice(user=user_a, name="x", kind=kind, confirmed=True, to_sealed=b"x", to_hash=kind.encode()).save(
                force_insert=True
            )
    at(realm_a).post("/password/reset", {"email": NUMBER})
    assert codes(realm_a) == []


def test_ac_04_who_may_disable_and_enable_cannot_let_in_who_waits_for_approval(
    realm_a: Realm, user_a: User, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(status=UserStatus.PENDING)
        for act in (disable_user, enable_user):
            with pytest.raises(Conflict):
                act(as_owner_a, user_id=user_a.pk)
        assert User.objects.get(pk=user_a.pk).status == UserStatus.PENDING


def test_ac_02_a_help_desk_does_not_end_an_owners_pause(realm_a: Realm, owner_a: User, user_a: User) -> None:
    pause(realm_a, "owner@example.com")
    pause(realm_a)
    desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
    with realm_scope(realm_a):
        with pytest.raises(PermissionDenied):
            unlock_sign_in(desk, user_id=owner_a.pk)
        unlock_sign_in(desk, user_id=user_a.pk)


def test_ac_02_a_help_desk_does_not_end_or_shorten_another_admins_lock_on_an_owner(
    realm_a: Realm, owner_a: User
) -> None:
    second = actor_of(make_user(realm_a, "second@example.com", role="Owner"))
    desk = actor_of(make_user(realm_a, "desk@example.com", role="Help desk"))
    with realm_scope(realm_a):
        lock_user(desk, user_id=owner_a.pk)
        unlock_user(desk, user_id=owner_a.pk)
        lock_user(second, user_id=owner_a.pk)
        with pytest.raises(PermissionDenied):
            unlock_user(desk, user_id=owner_a.pk)
        with pytest.raises(PermissionDenied):
            lock_user(desk, user_id=owner_a.pk, minutes=1)
        assert User.objects.get(pk=owner_a.pk).status_by == second.id


# --- answers of others ---

DEEP = Answer(200, {}, b"[" * 200_000)


def test_in_04_a_deep_answer_of_a_provider_is_a_failed_answer(realm_a: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(social_protocol, "fetch", lambda *args, **values: DEEP)
    provider = IdentityProvider(realm=realm_a, alias="corp", kind="oidc", settings={"issuer": "https://id.example"})
    with realm_scope(realm_a), pytest.raises(social_protocol.UpstreamFailed):
        social_protocol.endpoints_of(provider)


def test_lg_02_a_deep_answer_about_a_captcha_lets_nobody_pass(realm_a: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captcha, "fetch", lambda *args, **values: DEEP)
    service = captcha.SiteVerify()
    with pytest.raises(OutboundFailed):
        service.is_right(realm_a, {service.service.field: "x"}, ip="192.0.2.1")
