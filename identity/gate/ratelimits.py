"""How often who may do what: one table of policies, and the decorator that holds an endpoint to one of them.

    @rate_limited("provider_start")
    def get(self, request): …

A policy has rules, each with what it counts by: the address (an IPv6 network of /64), the person, the realm, the
application, or several of them together. All are counted in one statement, in the database, so that they hold across
processes and while Redis is away, and always in one realm: nobody uses up another realm's (TI-17). Sign-in itself has
counters of its own, which know devices and pauses (signin.limits).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from identity.kernel import clock, ratelimit
from identity.kernel.actor import Actor
from identity.kernel.errors import RateLimited
from identity.kernel.origin import network_of
from identity.kernel.ratelimit import Limit

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)


class By(StrEnum):
    """What is counted. A person who is not signed in is his address; an application that nobody named is none."""

    ADDRESS = "address"
    USER = "user"
    REALM = "realm"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` for each of what it counts by; several together are one (this person from this address)."""

    limit: Limit
    by: tuple[By, ...]


POLICIES: dict[str, tuple[Rule, ...]] = {
    "provider_start": (Rule(Limit("provider-network", 120, QUARTER), (By.ADDRESS,)),),
    "passkey_sign_in": (Rule(Limit("passkey-answers", 60, QUARTER), (By.ADDRESS,)),),
    "reauthentication": (Rule(Limit("reauthenticate", 10, QUARTER), (By.USER,)),),
    "number_change": (Rule(Limit("number-change", 6, HOUR), (By.USER,)),),
    "number_code": (Rule(Limit("number-code", 10, QUARTER), (By.USER,)),),
    "password_reset": (
        Rule(Limit("reset-network", 60, QUARTER), (By.ADDRESS,)),
        Rule(Limit("reset-realm", 6000, QUARTER), (By.REALM,)),
    ),
    "unlock": (Rule(Limit("unlock-network", 30, HOUR), (By.ADDRESS,)),),
}
"""Every policy by name. One that is not here is a mistake of ours, and fails loudly when the decorator is used."""


def _part(by: By, actor: Actor, application_id: UUID | None) -> str:
    address = network_of(actor.origin.ip) or "nowhere"
    match by:
        case By.ADDRESS:
            return address
        case By.USER:
            return str(actor.id) if actor.is_person else address
        case By.APPLICATION:
            return str(application_id or "")
    return ""


def require_rate(actor: Actor, *, policy: str, application_id: UUID | None = None) -> None:
    """Count once under each rule of a policy. Raises RateLimited, with the seconds until the last one is free again."""
    taken = ratelimit.take(
        [(rule.limit, " ".join(_part(by, actor, application_id) for by in rule.by)) for rule in POLICIES[policy]]
    )
    over = [each.window_end for each in taken if each.is_over]
    if over:
        raise RateLimited(retry_after=max(1, int((max(over) - clock.now()).total_seconds())))


def forget_rate(actor: Actor, *, policy: str) -> None:
    """What this person or address has used of a policy is free again: what was tried was right."""
    for rule in POLICIES[policy]:
        if By.REALM not in rule.by:
            ratelimit.forget(rule.limit, " ".join(_part(by, actor, None) for by in rule.by))


def rate_limited(
    policy: str,
    *,
    methods: tuple[str, ...] = ("POST",),
    application: Callable[[HttpRequest], UUID | None] | None = None,
    answer: Callable[[HttpRequest, RateLimited], HttpResponse] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Hold a view, or a method of one, to a policy of the table.

    application: which application a request is about, for rules that count by it. answer: how the refusal looks; by
    default it is raised, and the edge's own table of refusals makes 429 with Retry-After of it. Raises KeyError, while
    modules are loaded, for a policy that there is not.
    """
    if not POLICIES[policy]:
        raise KeyError(policy)

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def held(*args: Any, **kwargs: Any) -> Any:
            request = next(each for each in args[:2] if isinstance(each, HttpRequest))
            if request.method in methods:
                try:
                    require_rate(
                        request.actor,  # type: ignore[attr-defined]
                        policy=policy,
                        application_id=application(request) if application else None,
                    )
                except RateLimited as error:
                    if answer is None:
                        raise
                    return answer(request, error)
            return view(*args, **kwargs)

        return held

    return decorate
