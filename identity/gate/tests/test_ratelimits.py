"""The table of rate limits and its decorator."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from identity.gate import ratelimits
from identity.gate.ratelimits import By, Rule, forget_rate, rate_limited, require_rate
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.clock import clock_at, now
from identity.kernel.context import realm_scope
from identity.kernel.errors import RateLimited
from identity.kernel.origin import Origin
from identity.kernel.ratelimit import Limit
from identity.realms.models import Realm

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

HOUR = timedelta(hours=1)
DANA, KIM = uuid4(), uuid4()


def somebody(realm: Realm, ip: str = "192.0.2.1", user: UUID | None = None) -> Actor:
    kind = ActorKind.USER if user else ActorKind.ANONYMOUS
    return Actor(kind=kind, realm_id=realm.pk, id=user, home_realm_id=realm.pk, origin=Origin(ip))


def table(monkeypatch: pytest.MonkeyPatch, *rules: tuple[int, tuple[By, ...]]) -> None:
    made = tuple(Rule(Limit(f"test-{n}", most, HOUR), by) for n, (most, by) in enumerate(rules))
    monkeypatch.setitem(ratelimits.POLICIES, "test", made)


def passes(actor: Actor, **about: UUID) -> bool:
    try:
        require_rate(actor, policy="test", **about)
    except RateLimited:
        return False
    return True


def test_by_address_a_network_is_one_and_a_person_another_place_is_free(
    realm_a: Realm, realm_b: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(monkeypatch, (2, (By.ADDRESS,)))
    with realm_scope(realm_a):
        six = [somebody(realm_a, f"2001:db8:1:2::{n}") for n in (1, 2, 3)]
        assert [passes(each) for each in six] == [True, True, False]
        assert passes(somebody(realm_a, "2001:db8:1:3::1"))
        assert [passes(somebody(realm_a, "")) for _ in range(3)] == [True, True, False]
    with realm_scope(realm_b):
        assert passes(six[0])


def test_by_person_wherever_he_is_and_by_address_while_he_is_nobody(
    realm_a: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(monkeypatch, (1, (By.USER,)))
    with realm_scope(realm_a):
        assert passes(somebody(realm_a, user=DANA))
        assert not passes(somebody(realm_a, "198.51.100.1", user=DANA))
        assert passes(somebody(realm_a, user=KIM))
        assert passes(somebody(realm_a))
        assert not passes(somebody(realm_a))
        forget_rate(somebody(realm_a, "203.0.113.1", user=DANA), policy="test")
        assert passes(somebody(realm_a, user=DANA))


def test_by_several_together_and_by_realm_and_application(realm_a: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    table(monkeypatch, (1, (By.USER, By.APPLICATION)), (3, (By.REALM,)))
    one, other = uuid4(), uuid4()
    with realm_scope(realm_a):
        assert passes(somebody(realm_a, user=DANA), application_id=one)
        assert passes(somebody(realm_a, user=DANA), application_id=other)
        assert passes(somebody(realm_a, user=KIM), application_id=one)
        assert not passes(somebody(realm_a, user=uuid4()), application_id=one), "the realm's own is used up"
        with clock_at(now() + HOUR):
            assert passes(somebody(realm_a, user=DANA), application_id=one)
            assert not passes(somebody(realm_a, user=DANA), application_id=one)


@pytest.mark.windows
def test_the_refusal_says_how_long_to_wait(realm_a: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    table(monkeypatch, (0, (By.ADDRESS,)))
    start = now().replace(minute=20, second=0, microsecond=0)
    with realm_scope(realm_a), clock_at(start), pytest.raises(RateLimited) as refused:
        require_rate(somebody(realm_a), policy="test")
    assert refused.value.retry_after == 40 * 60


def test_the_decorator_holds_views_and_methods_to_it(realm_a: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    table(monkeypatch, (1, (By.ADDRESS,)))

    @rate_limited("test", answer=lambda _request, error: HttpResponse(str(error.retry_after), status=429))
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")

    class Page:
        @rate_limited("test", methods=("GET",))
        def get(self, _request: HttpRequest) -> HttpResponse:
            return HttpResponse("in")

    request = RequestFactory().post("/")
    request.actor = somebody(realm_a)  # type: ignore[attr-defined]
    other = RequestFactory().get("/")
    other.actor = somebody(realm_a)  # type: ignore[attr-defined]
    with realm_scope(realm_a):
        assert [view(request).status_code for _ in range(2)] == [200, 429]
        assert view(other).status_code == 200, "reading is not counted here"
        with pytest.raises(RateLimited):
            Page().get(other)


def test_a_policy_that_there_is_not_is_found_while_modules_load() -> None:
    with pytest.raises(KeyError):
        rate_limited("no_such_policy")
