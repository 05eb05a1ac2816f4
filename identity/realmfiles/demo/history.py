"""A few days of history for the demo realm, written through the commands under a moved clock (DECISIONS 31).

The same each time: a seeded generator decides who comes when. Events are flagged `backfilled` by the clock being moved.
"""

import base64
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from identity.accounts.models import User
from identity.applications.commands import change_application
from identity.applications.models import Application
from identity.applications.queries import uris_of
from identity.audit import outbox
from identity.consent.commands import grant_consent
from identity.consent.queries import consent_in_force
from identity.gate.actors import actor_for_user
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind, anonymous_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import RealmkeepError
from identity.kernel.origin import Origin
from identity.metrics import rules as metrics_rules
from identity.metrics.counting import measure
from identity.oauth.commands.issuing import Approval, issue_code, issue_for_application, redeem_code
from identity.oauth.queries.clients import find_issuing_client
from identity.realms.models import Realm
from identity.sessions.commands import note_application_use
from identity.sessions.models import Session
from identity.sessions.rules import ACR_ONE
from identity.sessions.store import SessionStore
from identity.signin.commands import check_sign_in, note_signed_in
from identity.signin.recognition import recognized

SIGN_INS_A_DAY = 90
SEED = 20261122
# How busy each hour is, from midnight: people sleep, work, and shop in the evening.
HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 12, 13, 12, 10, 9, 10, 11, 11, 10, 9, 9, 10, 9, 7, 5, 3)

AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile Safari/537.36",
)
# Addresses of documentation (RFC 5737): they belong to nobody.
NETWORKS = ("192.0.2", "198.51.100")
SERVERS = Origin("192.0.2.20", "realmkeep-demo/1")
ATTACKER = Origin("203.0.113.77", "python-requests/2.32")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what takes part."""

    realm: Realm
    people: Sequence[User]
    applications: Sequence[Application]
    dice: random.Random

    def origin_of(self, user: User) -> Origin:
        """Where a person usually comes from: the same address and device each time."""
        own = random.Random(user.email)  # noqa: S311 - a demo's dice
        return Origin(f"{own.choice(NETWORKS)}.{own.randrange(2, 250)}", own.choice(AGENTS))


Happening = Callable[[Cast], None]


@contextmanager
def before_it(days: int) -> Iterator[None]:
    """The moment at which the demo realm was made: older than its history."""
    with clock.clock_at(clock.now() - timedelta(days=days, hours=2)):
        yield


def write(realm: Realm, *, days: int) -> None:
    """Write `days` of history up to now, and let the reactions work on it at once."""
    now = clock.now()
    with realm_scope(realm):
        cast = Cast(
            realm,
            list(User.objects.order_by("key")),
            list(Application.objects.filter(type__in=("web", "native", "spa")).order_by("client_id")),
            random.Random(SEED),  # noqa: S311 - a demo's dice
        )
        # In the order of time: what is measured between two visits is what was true then.
        happenings = [
            *((moment, _visit) for moment in _moments(cast.dice, now, days)),
            *_machine(cast, now, days),
            *((moment, _measure) for moment in _half_hours(now, days)),
        ]
        for moment, happen in sorted(happenings, key=lambda each: each[0]):
            with clock.clock_at(moment):
                happen(cast)
        _admin_work(cast, now)
        _attack(cast, now)
        measure(realm)
    while outbox.drain(500):
        pass


def _moments(dice: random.Random, now: datetime, days: int) -> Iterator[datetime]:
    """When people come: by the hour of the day, fewer at night."""
    busy = sum(HOURS)
    for back in range(days * 24):
        hour = now - timedelta(hours=back + 1)
        expected = SIGN_INS_A_DAY * HOURS[hour.hour] / busy
        for _ in range(int(expected + dice.random())):
            yield hour + timedelta(seconds=dice.uniform(0, 3599), microseconds=dice.randrange(1_000_000))


def _half_hours(now: datetime, days: int) -> Iterator[datetime]:
    """The end of each bucket of the history: when the worker would have measured it."""
    at = metrics_rules.bucket_start(now - timedelta(days=days)) + metrics_rules.BUCKET
    while at <= now:
        yield at - timedelta(milliseconds=1)
        at += metrics_rules.BUCKET


def _measure(cast: Cast) -> None:
    """Tokens and active sessions, which nobody counts one by one."""
    measure(cast.realm)


def _visit(cast: Cast) -> None:
    """One person comes: signs in, usually on the way to an application, now and then after a wrong password."""
    user = cast.dice.choice(cast.people)
    application = cast.dice.choice(cast.applications)
    origin = cast.origin_of(user)
    door = anonymous_actor(cast.realm.pk, origin=origin)
    if cast.dice.random() < 0.12:
        _wrong_password(door, user, application)
    session = _sign_in(cast, door, user, application)
    actor = replace(actor_for_user(user, session=session, origin=origin), session_id=session.pk)
    if not application.skip_consent and consent_in_force(user.pk, application.pk) is None:
        grant_consent(actor, application_id=application.pk, scopes=list(application.scopes)[:4])
    note_application_use(session, application=application)
    _redeem(cast, actor, application, session)


def _redeem(cast: Cast, actor: Actor, application: Application, session: Session) -> None:
    """The application gets its tokens, as it would: a code with PKCE, redeemed at once."""
    client = find_issuing_client(cast.realm, client_id=application.client_id)
    uris = uris_of(application)
    if client is None or not uris:
        return
    code, verifier = f"{cast.dice.getrandbits(256):064x}", f"{cast.dice.getrandbits(256):064x}"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    approval = Approval(
        scopes=[scope for scope in application.scopes if scope != "offline_access"][:4],
        redirect_uri=uris[0],
        code_challenge=challenge,
        auth_time=clock.now(),
    )
    issue_code(actor, realm=cast.realm, application=application, session=session, approval=approval, code=code)
    redeem_code(
        _application_actor(cast, application),
        realm=cast.realm,
        client=client,
        code=code,
        redirect_uri=uris[0],
        code_verifier=verifier,
    )


def _application_actor(cast: Cast, application: Application, origin: Origin = SERVERS) -> Actor:
    return Actor(
        kind=ActorKind.APPLICATION,
        realm_id=cast.realm.pk,
        id=application.pk,
        home_realm_id=cast.realm.pk,
        origin=origin,
        name=application.name,
    )


def _sign_in(cast: Cast, door: Actor, user: User, application: Application) -> Session:
    store = SessionStore(realm=cast.realm)
    store.origin = door.origin
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "identity.signin.backend.RealmBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    # One browser for each person and user agent, known from the beginning.
    device_id = f"demo {door.origin.user_agent}"
    return note_signed_in(
        actor_for_user(user, origin=door.origin),
        user=user,
        session=store,
        amr=["pwd"],
        acr=ACR_ONE,
        lifetime=timedelta(seconds=cast.realm.setting("session_lifetime")),
        came=replace(
            recognized(user, realm=cast.realm, ip=door.origin.ip, label=door.origin.user_agent[:100], cookie=device_id),
            device_id=device_id,
            reasons=(),
        ),
        application_id=application.pk,
    )


def _wrong_password(door: Actor, user: User, application: Application) -> None:
    try:
        check_sign_in(door, identifier=user.email or "", password="not this one", application_id=application.pk)
    except RealmkeepError:
        return


def _machine(cast: Cast, now: datetime, days: int) -> Iterator[tuple[datetime, Happening]]:
    """The service fetches a token each hour, as services do."""
    service = Application.objects.filter(type="service").order_by("client_id").first()
    client = find_issuing_client(cast.realm, client_id=service.client_id) if service is not None else None
    if service is None or client is None:
        return
    actor = _application_actor(cast, service, Origin("192.0.2.10", "billing-sync/3.1"))

    def fetch(cast: Cast) -> None:
        issue_for_application(actor, realm=cast.realm, client=client)

    for back in range(days * 24, 0, -1):
        yield now - timedelta(hours=back, minutes=-7), fetch


def _admin_work(cast: Cast, now: datetime) -> None:
    """An admin mended a setting yesterday, so that the trail has a difference to show."""
    tom = next((user for user in cast.people if user.key == "tom"), None)
    portal = next((a for a in cast.applications if a.client_id == "partner-portal"), None)
    if tom is None or portal is None:
        return
    with clock.clock_at(now - timedelta(hours=20, minutes=14)):
        change_application(
            actor_for_user(tom, origin=cast.origin_of(tom)),
            application_id=portal.pk,
            redirect_uris=["https://partners.tallybook.example/callback", "https://partners.tallybook.example/return"],
        )


def _attack(cast: Cast, now: datetime) -> None:
    """Somebody guesses at Mia's password, half an hour ago: the alert that the overview opens with."""
    mia = next((user for user in cast.people if user.key == "mia"), None)
    if mia is None:
        return
    door = anonymous_actor(cast.realm.pk, origin=ATTACKER)
    for number in range(12):
        with clock.clock_at(now - timedelta(minutes=34) + timedelta(seconds=11 * number)):
            _wrong_password(door, mia, cast.applications[-1])
