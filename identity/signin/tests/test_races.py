"""Real threads on PostgreSQL: what lets somebody in does so once, whoever sends it at the same moment."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from identity.accounts.commands import accept_invitation, invite_user
from identity.accounts.models import User
from identity.accounts.tests.test_races import count, together
from identity.courier.testing import mails
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.places import Place
from identity.mfa import commands as mfa
from identity.mfa.tests.conftest import change, himself
from identity.realms.commands import create_provider
from identity.realms.models import Realm
from identity.security.models import SignInReview
from identity.signin import commands, limits
from identity.signin.commands.reviews import note_held
from identity.signin.recognition import Recognition
from identity.signin.risk import Reason
from identity.signin.social_claims import Upstream
from identity.signin.wishes import SignUpWish

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_postgresql"),
]
Act = Callable[[], Any]
EMAIL = "dana@example.com"


def digits(realm: Realm, to: str = EMAIL) -> str:
    texts = [mail.text for mail in mails(realm) if mail.to == to]
    return re.findall(r"\b\d{6}\b", texts[-1])[0]


def once(realm: Realm, act: Act, refusal: str) -> None:
    assert together(realm, *[act] * 4) == sorted(["done", refusal, refusal, refusal])


@pytest.fixture
def door(realm_a: Realm) -> Actor:
    return anonymous_actor(realm_a.pk)


def test_lg_01_a_code_signs_in_once(realm_a: Realm, user_a: User, door: Actor) -> None:
    change(realm_a, email_code_sign_in=True)
    with realm_scope(realm_a):
        code_id = commands.wish_for_code(door, realm=realm_a, identifier=EMAIL)
    text = digits(realm_a)
    once(
        realm_a,
        lambda: commands.check_sign_in_code(door, realm=realm_a, identifier=EMAIL, code_id=code_id, text=text),
        "email_password_mismatch",
    )


def test_lg_16_a_code_to_a_device_works_once(realm_a: Realm, user_a: User) -> None:
    with realm_scope(realm_a):
        device = mfa.add_message_device(himself(user_a), user_id=user_a.pk, kind="email", to="dana@work.example")
    code = digits(realm_a, "dana@work.example")
    add = lambda: mfa.confirm_message_device(himself(user_a), user_id=user_a.pk, device_id=device.pk, code=code)  # noqa: E731 - for threads
    outcomes = together(realm_a, add, add)
    assert outcomes.count("done") == 1
    assert count(realm_a, "factor.added") == 1


def test_lg_01_a_proven_wish_makes_one_account(realm_a: Realm, door: Actor) -> None:
    change(realm_a, sign_up_open=True)
    wish = SignUpWish(email="new@example.com", name="New", proves="email", proven=True)
    assert together(realm_a, *[lambda: commands.sign_up(door, realm=realm_a, wish=wish)] * 4) == ["done"] * 4
    assert count(realm_a, "signup.completed") == 1
    assert User.all_realms.filter(email="new@example.com").count() == 1


def test_oa_28_one_subject_makes_one_account(realm_a: Realm, as_owner_a: Actor, door: Actor) -> None:
    with realm_scope(realm_a):
        provider = create_provider(
            as_owner_a,
            alias="corp",
            name="Corp",
            kind="oidc",
            client_id="rk",
            secret="s",
            settings={"issuer": "https://id.corp.example", "trust_email": True},
            sign_up="create",
        )
    came = Upstream("u-1", email="new@example.com", email_verified=True)
    wish = SignUpWish(email="new@example.com", provider="corp")
    act: Act = lambda: commands.sign_up_upstream(door, provider_id=provider.pk, upstream=came, wish=wish)  # noqa: E731 - for threads
    outcomes = together(realm_a, *[act] * 4)
    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "email_taken", "linked_elsewhere"}
    assert User.all_realms.filter(email="new@example.com").count() == SocialAccount.objects.count() == 1


def test_lg_01_an_unlock_link_works_once(realm_a: Realm, user_a: User, door: Actor) -> None:
    with realm_scope(realm_a):
        for host in range(31):
            limits.count_attempt(str(user_a.pk), f"198.51.100.{host}")
        commands.wish_for_unlock(door, realm=realm_a, identifier=EMAIL)
    token = mails(realm_a)[-1].links[0].rstrip("/").rsplit("/", 1)[-1]
    once(realm_a, lambda: commands.use_unlock_link(door, token=token), "link_used")


def test_an_invitation_without_a_password_is_accepted_once(realm_a: Realm, as_owner_a: Actor, door: Actor) -> None:
    change(realm_a, password_sign_in=False, email_code_sign_in=True)
    with realm_scope(realm_a):
        invite_user(as_owner_a, email="new@example.com")
    token = mails(realm_a)[-1].links[0].rstrip("/").rsplit("/", 1)[-1]
    once(realm_a, lambda: accept_invitation(door, token=token), "not_found")
    assert count(realm_a, "invitation.accepted") == 1


def test_not_me_is_answered_once_and_holding_at_once_asks_once(realm_a: Realm, user_a: User, door: Actor) -> None:
    came = Recognition(None, "d", "Firefox", Place("BR"), (Reason.NEW_DEVICE, Reason.NEW_COUNTRY), True)
    hold: Act = lambda: note_held(door, realm=realm_a, user=user_a, came=came, application_id=None)  # noqa: E731 - for threads
    assert together(realm_a, *[hold] * 4) == ["done"] * 4
    with realm_scope(realm_a):
        (review,) = SignInReview.objects.select_related("user", "session", "device")
    assert len([mail for mail in mails(realm_a) if "is held" in mail.subject]) == 1
    once(realm_a, lambda: commands.deny_review(door, realm=realm_a, review=review), "answered")
    assert count(realm_a, "review.denied") == 1
