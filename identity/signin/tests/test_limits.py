"""Lock-out that doesn't lock the realm."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from conftest import make_user
from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.kernel.actor import system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.testing import RealmClient
from identity.signin import limits
from identity.signin.notes import Note, write_note
from identity.signin.rules import LockOut, networks_of, paused_until, safe_return, tries_left
from identity.signin.tests.conftest import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

# Today: PostgreSQL has partitions of the trail from this month on.
T0 = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
Events = Callable[[Realm, str], list[ReadableEvent]]


def at(realm: Realm, ip: str = "192.0.2.1") -> RealmClient:
    return RealmClient(realm, REMOTE_ADDR=ip)


@pytest.mark.windows
def test_a_pause_is_announced_bites_and_ends_by_itself(realm_a: Realm, user_a: User, events: Events) -> None:
    with clock_at(T0):
        left = []
        for _ in range(5):
            form = sign_in(at(realm_a), password="wrong").context["form"]
            left.append(form.tries_left)
        assert left == [None, None, 2, 1, 0]
        assert form.pause_minutes == 15
        for _ in range(3):
            response = sign_in(at(realm_a))  # the right one, too
            assert response.status_code == 429
            assert response.context["form"].paused_until == T0 + timedelta(minutes=15)
            assert "paused until 12:15" in response.content.decode()
    with clock_at(T0 + timedelta(minutes=15)):
        assert sign_in(at(realm_a)).status_code == 302
    reasons = [said.row.payload["reason"] for said in events(realm_a, "signin.failed")]
    assert reasons == ["wrong_password"] * 5 + ["too_many_tries"]


@pytest.mark.windows
def test_who_goes_on_guessing_waits_longer(realm_a: Realm, user_a: User) -> None:
    for quarter in range(3):
        with clock_at(T0 + quarter * timedelta(minutes=15)):
            for _ in range(5):
                sign_in(at(realm_a), password="wrong")
    with clock_at(T0 + timedelta(minutes=45)):
        response = sign_in(at(realm_a))
        assert response.context["form"].paused_until == T0 + timedelta(hours=2)


def test_lg_23_a_made_up_name_is_paused_like_a_real_one(realm_a: Realm, user_a: User) -> None:
    answers = {}
    for login in ("dana@example.com", "nobody@example.com"):
        with clock_at(T0):
            forms = [sign_in(at(realm_a), login, "wrong") for _ in range(6)]
        answers[login] = [(f.status_code, f.context["form"].tries_left) for f in forms]
    assert answers["dana@example.com"] == answers["nobody@example.com"]


def test_lg_25_spellings_of_one_name_share_the_counter(realm_a: Realm, user_a: User) -> None:
    spellings = [
        "dana@example.com",
        "DANA@example.com",
        " dana@EXAMPLE.com",
        "ｄａｎａ@example.com",
        "dana@example.com.",
    ]
    with clock_at(T0):
        for login in spellings:
            sign_in(at(realm_a), login, "wrong")
        assert sign_in(at(realm_a)).status_code == 429


def test_ti_17_the_other_realm_does_not_notice(realm_a: Realm, user_a: User, realm_b: Realm, user_b: User) -> None:
    with clock_at(T0):
        for _ in range(6):
            sign_in(at(realm_a), password="wrong")
        for number in range(70):
            with realm_scope(realm_a):
                limits.count_attempt(f"n{number}", "192.0.2.1")
        assert sign_in(at(realm_a), "x@example.com", "x").status_code == 429
        assert sign_in(at(realm_b)).status_code == 302


def test_failing_on_many_names_locks_nobody_elsewhere(realm_a: Realm, user_a: User) -> None:
    with clock_at(T0):
        for number in range(70):
            with realm_scope(realm_a):
                limits.count_attempt(f"n{number}@example.com", "192.0.2.1")
        assert sign_in(at(realm_a)).status_code == 429
        assert sign_in(at(realm_a, "192.0.2.2")).status_code == 302


def test_rl_08_a_known_device_still_enters_while_the_name_is_attacked_from_everywhere(
    realm_a: Realm, user_a: User
) -> None:
    device = at(realm_a, "203.0.113.9")
    with clock_at(T0):
        assert sign_in(device).status_code == 302
        device.post("/signout")
        for host in range(40):
            with realm_scope(realm_a):
                limits.count_attempt(str(user_a.pk), f"198.51.100.{host}")
        assert sign_in(at(realm_a, "203.0.113.10")).status_code == 429
        assert sign_in(device, password="wrong").status_code == 200
        assert sign_in(device).status_code == 302


def test_rl_08_a_known_device_has_a_limit_of_its_own(realm_a: Realm, user_a: User) -> None:
    device = at(realm_a)
    with clock_at(T0):
        sign_in(device)
        device.post("/signout")
        for _ in range(10):
            assert sign_in(device, password="wrong").status_code == 200
        assert sign_in(device).status_code == 429
        assert sign_in(at(realm_a)).status_code == 302


@pytest.mark.parametrize("state", ["denied", "forgotten", "unconfirmed", "copied"])
def test_rl_08_a_device_that_is_not_known_now_has_no_counter_of_its_own(
    state: str, realm_a: Realm, user_a: User
) -> None:
    device = at(realm_a, "203.0.113.9")
    with clock_at(T0):
        assert sign_in(device).status_code == 302
        device.post("/signout")
        with realm_scope(realm_a):
            rows = Device.objects.filter(user=user_a)
            match state:
                case "denied":
                    rows.update(status=DeviceStatus.DENIED)
                case "forgotten":
                    rows.delete()
                case "unconfirmed":
                    rows.update(status=DeviceStatus.NEW)
                case "copied":
                    device.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux) Firefox/130.0"
        for _try in range(5):
            assert sign_in(device, password="wrong").status_code == 200
        assert sign_in(device).status_code == 429, "the account’s own pause counts"


def test_rl_08_a_device_is_known_for_its_own_people_in_its_own_realm(
    realm_a: Realm, user_a: User, realm_b: Realm, user_b: User
) -> None:
    make_user(realm_a, "kim@example.com")
    device = at(realm_a)
    with clock_at(T0):
        sign_in(device, "kim@example.com")
        device.post("/signout")
        for _ in range(5):
            sign_in(device, password="wrong")
        assert sign_in(device).status_code == 429
        value = device.cookies[cookie_name("t", realm_a)].value
        forged = at(realm_b)
        forged.cookies[cookie_name("t", realm_b)] = value
        for _ in range(5):
            sign_in(forged, password="wrong")
        assert sign_in(forged).status_code == 429
        for junk in ("", "x", value[:-1], "x" * 5000):
            broken = at(realm_a, "192.0.2.77")
            broken.cookies[cookie_name("t", realm_a)] = junk
            assert sign_in(broken, "kim@example.com").status_code == 302


def test_lg_22_coming_in_clears_nobody_elses_counters(realm_a: Realm, user_a: User) -> None:
    make_user(realm_a, "eve@example.com")
    with clock_at(T0):
        for round_ in range(4):
            sign_in(at(realm_a), password="wrong")
            assert sign_in(at(realm_a), "eve@example.com").status_code == 302, round_
        sign_in(at(realm_a), password="wrong")
        assert sign_in(at(realm_a)).status_code == 429
        with realm_scope(realm_a):
            network = limits.count_attempt("other", "192.0.2.1").taken[-1]
    assert network.count == 5 + 1 + 1  # five failures, the paused try, and this one; no success counts


def test_coming_in_clears_the_own_failures_from_this_place(realm_a: Realm, user_a: User) -> None:
    with clock_at(T0):
        for _ in range(3):
            for _ in range(4):
                sign_in(at(realm_a), password="wrong")
            assert sign_in(at(realm_a)).status_code == 302


@pytest.mark.parametrize("field", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CF_CONNECTING_IP"])
def test_rl_01_a_header_is_no_way_around(realm_a: Realm, user_a: User, field: str) -> None:
    with clock_at(T0):
        for number in range(5):
            sign_in(at(realm_a), password="wrong", **{field: f"198.51.100.{number}"})
        assert sign_in(at(realm_a), **{field: "198.51.100.99"}).status_code == 429


@pytest.mark.windows
def test_rl_02_a_thousand_addresses_of_one_network_are_one(realm_a: Realm) -> None:
    with realm_scope(realm_a), clock_at(T0):
        attempts = [limits.count_attempt(f"n{n}@example.com", f"2001:db8:1:2::{n:x}") for n in range(1, 62)]
        assert attempts[59].paused_until is None
        assert attempts[60].paused_until == T0 + timedelta(minutes=15)
        wide = [limits.count_attempt(f"m{n}@example.com", f"2001:db8:1:{n:x}::1") for n in range(256, 690)]
        assert wide[-1].paused_until is not None
        assert limits.count_attempt("x@example.com", "::ffff:192.0.2.1").paused_until is None


def test_rl_02_networks_of_an_address() -> None:
    assert networks_of("192.0.2.1") == ("192.0.2.1",)
    assert networks_of("::ffff:192.0.2.1") == ("192.0.2.1",)
    assert networks_of("2001:db8:1:2:3::4") == ("2001:db8:1:2::/64", "2001:db8:1::/56", "2001:db8:1::/48")
    assert networks_of("") == networks_of("unknown") == ()


@pytest.mark.windows
def test_rl_04_the_windows_of_one_limit_are_counted_apart(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        with clock_at(T0):
            first = limits.count_attempt("dana", "192.0.2.1")
        with clock_at(T0 + timedelta(minutes=15)):
            second = limits.count_attempt("dana", "192.0.2.1")
    assert [taken.count for taken in first.taken[:2]] == [1, 1]
    assert [taken.count for taken in second.taken[:2]] == [1, 2]


def test_giving_back_takes_off_the_window_that_it_was_taken_from(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        with clock_at(T0 + timedelta(minutes=14)):
            attempt = limits.count_attempt("dana", "192.0.2.1")
        with clock_at(T0 + timedelta(minutes=16)):
            limits.count_attempt("kim", "192.0.2.1")
            limits.forgive(attempt)
            assert limits.count_attempt("x", "192.0.2.1").taken[-1].count == 2


@pytest.mark.parametrize(
    ("counted", "left"), [([], 0), ([(1, 5)], 4), ([(5, 5), (1, 9)], 0), ([(7, 5)], 0), ([(3, 5), (8, 9)], 1)]
)
def test_the_tightest_limit_says_how_many_tries_are_left(counted: list[tuple[int, int]], left: int) -> None:
    assert tries_left(counted) == left


def test_a_pause_lasts_until_the_last_exceeded_limit_is_over() -> None:
    assert paused_until([]) is None
    assert paused_until([T0, T0 + timedelta(hours=1)]) == T0 + timedelta(hours=1)


@pytest.mark.parametrize(
    ("url", "prefix", "safe"),
    [
        ("/realms/a/x", "/realms/a", True), ("/realms/ab", "/realms/a", False), ("/x", "", True), ("//x", "", False),
        ("/\\x", "", False), ("/a\nb", "", False), ("", "", False), ("/realms/a/../b", "/realms/a", False),
        ("/realms/a/..", "/realms/a", False), ("/realms/a/%2E%2e/b", "/realms/a", False),
        ("/realms/a/.%2e/b", "/realms/a", False), ("/realms/a/x?next=/../y", "/realms/a", True),
        ("https://x/", "", False),
    ],
)  # fmt: skip
def test_where_a_return_may_lead(url: str, prefix: str, safe: bool) -> None:
    assert safe_return(url, prefix=prefix) is safe


# --- the realm's own numbers


def with_settings(realm: Realm, **settings: object) -> Realm:
    with realm_scope(realm):
        return change_realm_settings(system_actor(realm.pk), changes=settings)


@pytest.mark.windows
def test_a_realm_chooses_how_many_tries_and_how_long_a_pause(realm_a: Realm, user_a: User, realm_b: Realm) -> None:
    with_settings(realm_a, lockout_tries=3, lockout_pause=3600)
    make_user(realm_b, "dana@example.com")
    with clock_at(T0):
        for realm in (realm_a, realm_b):
            left = [sign_in(at(realm), password="wrong").context["form"].tries_left for _ in range(3)]
            assert left == ([2, 1, 0] if realm == realm_a else [None, None, 2])
        response = sign_in(at(realm_a))
        assert response.status_code == 429
        assert response.context["form"].paused_until == T0 + timedelta(hours=1)
        assert sign_in(at(realm_b)).status_code == 302
    with clock_at(T0 + timedelta(minutes=59)):
        assert sign_in(at(realm_a)).status_code == 429
    with clock_at(T0 + timedelta(hours=1)):
        assert sign_in(at(realm_a)).status_code == 302


@pytest.mark.parametrize(
    ("pause", "longer", "longest"),
    [
        (timedelta(minutes=15), timedelta(hours=2), timedelta(hours=12)),
        (timedelta(hours=6), timedelta(days=1), timedelta(hours=12)),
        (timedelta(days=1), timedelta(days=2), timedelta(days=2)),
        (timedelta(minutes=1), timedelta(minutes=8), timedelta(hours=12)),
    ],
)
def test_pauses_grow_and_never_share_a_window(pause: timedelta, longer: timedelta, longest: timedelta) -> None:
    lock_out = LockOut(5, pause)
    assert (lock_out.longer_pause, lock_out.longest_pause) == (longer, longest)
    assert pause < min(longer, longest)


def test_lg_14_all_names_of_one_person_share_the_counters(realm_a: Realm, user_a: User) -> None:
    with_settings(realm_a, phone_sign_in=True, username_sign_in=True, default_country="DE", email_code_sign_in=True)
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(phone="+4930123456", username="dana")
    with clock_at(T0):
        for login in ("dana@example.com", "+49 30 123456", "030 123456", "DANA", "0049 30 123456"):
            assert sign_in(at(realm_a), login, "wrong").status_code == 200
        assert {sign_in(at(realm_a), login).status_code for login in ("dana", "dana@example.com")} == {429}
        with realm_scope(realm_a):
            note = write_note(realm_a, Note("dana@example.com", uuid4()))
        assert at(realm_a).post("/signin/code", {"note": note, "code": "123456"}).status_code == 429
