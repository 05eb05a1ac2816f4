"""A model of the stages: signed in ⇒ every factor that is required was shown in this flow, for this person (LG-01).

Four ways in (password, code, passkey, provider), two browsers (at home, and abroad where nobody was before), eight
people: an app; an app and a role that wants it; a passkey; nothing; nothing, and never seen before; a password to
replace; a number to confirm; an address to confirm. Under every mix of policy, grace, trusted browsers and hold. And
two applications: one requires two factors of everybody, the other asks for them now and then.

Each model first walks straight through every stage, once without and once with what it asks for; then Hypothesis tries
what nobody thought of. No answer may be a 400: where a stage was passed by, the adapter refuses with one, so a stage
that is missing shows here, too, although nobody gets in.
"""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import SESSION_KEY
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from conftest import PASSWORD, make_application, make_realm, make_user
from identity.access.commands import assign_role, create_role, set_role_requirements
from identity.accounts.models import User
from identity.applications.commands import change_application
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import anonymous_actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.origin import Origin
from identity.mfa import commands
from identity.mfa.rules import level_of_acr
from identity.mfa.testing import SoftKey, code_at
from identity.mfa.tests.conftest import SECRET, add_key, change, himself, with_app
from identity.realms.commands import create_provider
from identity.realms.queries import provider_key
from identity.sessions.commands import note_device
from identity.sessions.rules import ACR_THREE, ACR_TWO
from identity.sessions.testing import RealmClient
from identity.signin.devices import known_devices
from identity.signin.recognition import recognized
from identity.signin.tests.fake_provider import FakeProvider

PEOPLE = ("app", "role", "key", "none", "new", "due", "number", "address")
PATHS = [
    "/signin/confirm",
    "/signin/prove",
    "/signin/add",
    "/signin/add/app",
    "/signin/add/passkey",
    "/signin/add/email",
    "/signin/again",
    "/signin/password",
    "/signin/number",
    "/signin/terms",
]
PLACES = {
    "home": ("193.99.144.80", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"),
    "abroad": ("200.147.3.1", "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"),
}
WHO, WHERE = st.sampled_from(PEOPLE), st.sampled_from(sorted(PLACES))
MIXES = [
    ("required", 0, 30 * 86400, "hold"),
    ("required", 86400, 0, "hold"),
    ("optional", 0, 30 * 86400, "notify"),
    ("optional", 0, 30 * 86400, "hold"),
    ("required", 0, 0, "notify"),
    ("required", 86400, 30 * 86400, "notify"),
]
"""Policy, grace, how long a browser can be trusted, what is done about a suspicious sign-in: a model for each."""
NEXT = [["app_code"], ["trusting_code"], ["adds_an_app"], ["not_today"], ["proves_by_mail"], ["recovery_code"], []]
"""What a person would do next; anything else is tried, too."""
WAYS = st.sampled_from(["password", "code", "passkey", "provider"])
RIGHT = st.sampled_from([True, True, True, False])
WITH_A_SECRET = {"app_code", "trusting_code", "adds_an_app", "proves_by_mail", "confirms_the_number"}
THEN = [
    "app_code",
    "app_code wrong",
    "trusting_code",
    "recovery_code",
    "adds_an_app",
    "adds_an_app wrong",
    "not_today",
    "proves_by_mail",
    "proves_by_mail wrong",
    "renews",
    "confirms_the_number",
    "confirms_the_number wrong",
]
number = count()
ASKED = [("strict", 2, ""), ("plain", 1, ""), ("plain", 1, ACR_TWO), ("strict", 2, ACR_THREE)]
"""Applications, the level that each requires, and the class that a request asks for."""
AUTHORIZATION = {
    "response_type": "code",
    "redirect_uri": "https://app.example/cb",
    "scope": "openid",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


@dataclass
class Flow:
    """What was really shown since the first step that was right, by our own book."""

    who: str = ""
    way: str = ""
    factor: bool = False
    proof: bool = False
    renewed: bool = False
    confirmed: bool = False

    @property
    def level(self):
        """What an application may be told. A code that confirmed a held sign-in is no second factor to it."""
        return 3 if self.way == "passkey" else 2 if self.factor else 1


class Browser(RealmClient):
    """Sees each answer."""

    def generic(self, *args, **kwargs):
        answer = super().generic(*args, **kwargs)
        assert answer.status_code < 500, (args[:2], answer.status_code)
        assert answer.status_code != 400, (args[:2], "a stage was passed by, and the last line of defense refused")
        return answer


def machine(realm, provider, fake, mix, seen):  # noqa: C901 - the model is one, and its rules belong side by side
    class Stages(RuleBasedStateMachine):
        """Each rule does what a browser could, and keeps book of what was right; `asking` compares."""

        @initialize()
        def begin(self):
            policy, grace, trusted, hold = mix
            change(
                realm,
                second_factor=policy,
                second_factor_grace=grace,
                trusted_device_lifetime=trusted,
                suspicious_sign_in=hold,
            )
            self.policy, self.grace, self.hold = policy, bool(grace), hold == "hold"
            self.clock = clock.now()
            self.people, self.secrets, self.codes = {}, {"app": SECRET, "role": SECRET}, {}
            self.trusting = {where: set() for where in PLACES}
            self.passkey = SoftKey("http://testserver")
            self.clients = {
                where: Browser(realm, REMOTE_ADDR=ip, HTTP_USER_AGENT=agent) for where, (ip, agent) in PLACES.items()
            }
            self.flows = {where: Flow() for where in PLACES}
            self.last = dict.fromkeys(PLACES, "app")
            self.passwords, self.renewed, self.confirmed = {}, set(), set()

        def walk(self):
            """Everybody's straight way, and what an application gets of it."""
            for where in ("abroad", "home"):
                for who in PEOPLE:
                    self.sign_out(where)
                    (self.by_passkey if who == "key" else self.by_password)(where, who, True)
                    self.asks(where)
                    if who != "address":
                        self.finishes(where, who)
                        self.asks(where)

        def finishes(self, where, who):
            """Shows all that is asked for: whoever does so gets in."""
            odd = self.hold and not self.signed_in(where) and self.suspicious(where, who)
            steps = {
                "app_code": who in self.secrets,
                "proves_by_mail": who not in self.secrets and odd,
                "adds_an_app": who not in self.secrets and self.policy == "required" and not self.grace,
                "not_today": who not in self.secrets and self.policy == "required" and self.grace,
                "confirms_the_number": who == "number" and who not in self.confirmed,
                "renews": who == "due" and who not in self.renewed,
            }
            for name in [name for name, wanted in steps.items() if wanted]:
                if not self.signed_in(where):
                    self.tries(where, [name])
            assert self.signed_in(where), f"{who} showed all that was asked for, and is not let in"

        def person(self, name):
            if name not in self.people:
                with clock.clock_at(self.clock):
                    self.people[name] = self.make(name)
            return self.people[name]

        def make(self, name):
            user = make_user(realm, f"{name}-{next(number)}@example.com", name=name)
            with realm_scope(realm):
                if name in self.secrets:
                    with_app(user)
                    self.codes[name] = commands.generate_recovery_codes(himself(user), user_id=user.pk)
                if name == "key":
                    add_key(realm, user, self.passkey)
                if name == "role":
                    assign_role(system_actor(realm.pk), user_id=user.pk, role_id=realm.wanting.pk)
                SocialAccount.objects.create(user=user, provider=provider_key(provider), uid=str(user.pk))
                changes = {
                    "due": {"password_change_required": "admin"},
                    "number": {"phone": f"+49301{next(number):06}"},
                    "address": {"email_verified_at": None},
                }.get(name)
                if changes:
                    User.objects.filter(pk=user.pk).update(**changes)
                if name == "address":
                    EmailAddress.objects.filter(user_id=user.pk).update(verified=False)
                if name != "new":
                    # Known at home for long: what is unlike that is suspicious abroad.
                    self.known_at_home(user)
            return User.all_realms.get(pk=user.pk)

        def known_at_home(self, user):
            ip, agent = PLACES["home"]
            with clock.clock_at(clock.now() - timedelta(days=20)):
                note_device(
                    anonymous_actor(realm.pk, origin=Origin(ip, agent)),
                    user_id=user.pk,
                    device_id=f"of {user.pk}",
                    former=None,
                    status="known",
                    label=agent,
                    country="DE",
                )

        # --- the book ---

        def signed_in(self, where):
            return self.clients[where].session.get(SESSION_KEY)

        def suspicious(self, where, who):
            client, (ip, agent) = self.clients[where], PLACES[where]
            user = self.person(who)
            request = client.get("/signin").wsgi_request
            with realm_scope(realm):
                cookie = known_devices(request, realm).get(user.pk, "")
                return recognized(user, realm=realm, ip=ip, label=agent, cookie=cookie).is_suspicious

        @contextmanager
        def asking(self, where):
            """One request; whoever is signed in by it has shown what the realm asks of him."""
            # Each code of an app is another one.
            self.clock += timedelta(seconds=90)
            with clock.clock_at(self.clock):
                before = self.signed_in(where)
                who = self.flows[where].who
                odd = bool(who) and self.hold and self.suspicious(where, who)
                held = set(self.secrets) | {"key"}
                yield
                after = self.signed_in(where)
            if after and after != before:
                self.judge(where, after, odd, held)

        def judge(self, where, user_id, odd, held):
            flow = self.flows[where]
            who = next(name for name, user in self.people.items() if str(user.pk) == user_id)
            assert flow.who == who, "somebody whose first step was not shown"
            seen.add(flow.way)
            assert who != "address", "the address isn't confirmed"
            assert who != "due" or flow.renewed or who in self.renewed, "the password had to be replaced"
            assert who != "number" or flow.confirmed or who in self.confirmed, "the number isn't confirmed"
            if flow.way == "passkey":
                return
            if who in held:
                trusted = who in self.trusting[where] and who != "role" and not odd
                assert flow.factor or trusted, "a factor was not shown in this flow by this person"
                seen.add("factor" if flow.factor else "trusted")
            elif self.policy == "required":
                assert flow.factor or self.grace, "nobody gets in without a factor here"
                seen.add("added" if flow.factor else "grace")
            if odd:
                assert flow.factor or flow.proof, "what was unlike the person was not confirmed"
                seen.add("held")

        # --- the rules ---

        @rule(where=WHERE, who=WHO, way=WAYS, right=RIGHT, then=st.sampled_from(NEXT))
        def comes(self, where, who, way, right, then):
            """A first step, by whoever uses this browser now, and what comes after it."""
            self.sign_out(where)
            self.last[where] = who
            getattr(self, f"by_{way}")(where, who, right)
            self.tries(where, then)
            self.asks(where)

        @rule(where=WHERE, way=st.sampled_from(["password", "provider"]), then=st.sampled_from(NEXT))
        def comes_again(self, where, way, then):
            """The one who was here last."""
            self.sign_out(where)
            getattr(self, f"by_{way}")(where, self.last[where], True)
            self.tries(where, then)

        @rule(where=WHERE, then=st.lists(st.sampled_from(THEN), min_size=1, max_size=3))
        def goes_on(self, where, then):
            """What is tried in the middle of a sign-in, or without any."""
            self.tries(where, then)

        def tries(self, where, then):
            for name in then:
                step, _, how = name.partition(" ")
                getattr(self, step)(where, **({"right": how != "wrong"} if step in WITH_A_SECRET else {}))

        # --- first steps ---

        def by_password(self, where, who, right):
            if self.signed_in(where):
                return
            if right:
                self.flows[where] = Flow(who, "password")
            with self.asking(where):
                known = self.passwords.get(who, PASSWORD)
                typed = {"login": self.person(who).email, "password": known if right else "wrong password"}
                self.clients[where].post("/signin", typed)

        def by_code(self, where, who, right):
            if self.signed_in(where):
                return
            login = self.person(who).email
            with self.asking(where):
                page = self.clients[where].post("/signin/code", {"login": login})
                code = self.last_code(login)
            found = re.search(r'name="note" value="([^"]+)"', page.text)
            if not code or not found:
                return
            if right:
                self.flows[where] = Flow(who, "code")
            with self.asking(where):
                typed = code if right else f"{(int(code) + 1) % 10**6:06}"
                self.clients[where].post("/signin/code", {"note": found[1], "code": typed})

        def by_passkey(self, where, _who, verified):
            self.person("key")
            if self.signed_in(where):
                return
            if verified:
                self.flows[where] = Flow("key", "passkey")
            with self.asking(where):
                asked = self.clients[where].get("/signin/passkey").json()
                answer = self.passkey.get(asked["options"])
                state = asked["state"] if verified else "x"
                self.clients[where].post("/signin/passkey", {"credential": json.dumps(answer), "state": state})

        def by_provider(self, where, who, _right):
            if self.signed_in(where):
                return
            fake.person["sub"] = str(self.person(who).pk)
            # Its clock goes as fast as this one.
            at = int(self.clock.timestamp())
            fake.bend = lambda claims: {**claims, "iat": at, "exp": at + 300}
            self.flows[where] = Flow(who, "provider")
            with self.asking(where):
                asked = self.clients[where].get("/signin/provider/corp")
                back = fake.agree(asked["Location"])
                self.clients[where].get(back.removeprefix("http://testserver"))

        # --- what comes after ---

        def app_code(self, where, right, trust=False):
            flow, client = self.flows[where], self.clients[where]
            if self.signed_in(where):
                return
            secret = self.secrets.get(flow.who)
            counts = right and secret is not None
            if counts:
                flow.factor = True
            with self.asking(where):
                code = code_at(secret, clock.now()) if counts else "000000"
                client.post("/signin/confirm", {"code": code, **({"trust": "yes"} if trust else {})})
            if counts and trust and self.signed_in(where):
                self.trusting[where].add(flow.who)
                seen.add("trusting")

        def trusting_code(self, where, right):
            self.app_code(where, right, trust=True)

        def recovery_code(self, where):
            flow, client = self.flows[where], self.clients[where]
            if self.signed_in(where) or not self.codes.get(flow.who):
                return
            with self.asking(where):
                page = client.get("/signin/confirm?method=recovery_codes")
                if page.status_code != 200 or not page.context:
                    return
                flow.factor = True
                code = self.codes[flow.who].pop()
                client.post("/signin/confirm", {"factor": page.context["factor"].id, "code": code})

        def adds_an_app(self, where, right):
            flow, client = self.flows[where], self.clients[where]
            if self.signed_in(where):
                return
            with self.asking(where):
                page = client.get("/signin/add/app")
                if page.status_code != 200 or not page.context or "secret" not in page.context:
                    return
                secret = page.context["secret"].replace(" ", "")
                if right:
                    flow.factor = True
                client.post("/signin/add/app", {"code": code_at(secret, clock.now()) if right else "000000"})
            if right:
                self.secrets[flow.who] = secret

        def not_today(self, where):
            if not self.signed_in(where):
                with self.asking(where):
                    self.clients[where].post("/signin/add", {})

        def proves_by_mail(self, where, right):
            flow, client = self.flows[where], self.clients[where]
            if self.signed_in(where) or not flow.who:
                return
            with self.asking(where):
                page = client.post("/signin/prove", {"way": "email", "send": "yes"})
                found = re.search(r'name="note" value="([^"]+)"', page.text)
                code = self.last_code(self.person(flow.who).email)
            if not found or not code:
                return
            if right:
                flow.proof = True
            with self.asking(where):
                typed = code if right else f"{(int(code) + 1) % 10**6:06}"
                client.post("/signin/prove", {"way": "email", "note": found[1], "code": typed})

        def renews(self, where):
            flow, fresh = self.flows[where], f"a new phrase {next(number)}"
            if self.signed_in(where) or not flow.who:
                return
            with self.asking(where):
                if self.clients[where].get("/signin/password").status_code != 200:
                    return
                flow.renewed = True
                self.clients[where].post("/signin/password", {"password1": fresh, "password2": fresh})
            self.passwords[flow.who] = fresh
            self.renewed.add(flow.who)

        def confirms_the_number(self, where, right):
            flow, client = self.flows[where], self.clients[where]
            if self.signed_in(where) or not flow.who:
                return
            with self.asking(where):
                if client.get("/signin/number").status_code != 200:
                    return
                code = self.last_code(self.person(flow.who).phone)
                flow.confirmed = flow.confirmed or right
                client.post("/signin/number", {"code": code if right else f"{(int(code) + 1) % 10**6:06}"})
            if right:
                self.confirmed.add(flow.who)

        # --- what applications get ---

        def asks(self, where):
            """An application that requires two factors, one that doesn't, and either with a wish of its own."""
            if not self.signed_in(where):
                return
            for client_id, least, wanted in ASKED:
                query = {**AUTHORIZATION, "client_id": client_id, **({"acr_values": wanted} if wanted else {})}
                with clock.clock_at(self.clock):
                    answer = self.clients[where].get(f"/oauth/authorize?{urlencode(query)}")
                got_code = "code=" in answer.headers.get("Location", "")
                needed = max(least, level_of_acr(wanted))
                level = self.flows[where].level
                assert got_code == (level >= needed), f"{client_id} wants {needed}, {level} was shown"
                seen.add(f"{client_id} {'got' if got_code else 'asked'}")

        @rule(
            where=WHERE,
            path=st.sampled_from(PATHS),
            method=st.sampled_from(["get", "post"]),
            field=st.sampled_from(["", "send", "trust", "code", "credential", "way"]),
        )
        def out_of_order(self, where, path, method, field):
            with self.asking(where):
                getattr(self.clients[where], method)(path, {field: "yes"} if field else {})

        @rule(where=WHERE, stage=st.sampled_from(["no_such_stage", "new_password", "terms_accept", "number_proof"]))
        def another_stage(self, where, stage):
            session = self.clients[where].session
            pending = session.get("account_login")
            if pending:
                pending["state"].setdefault("stages", {})["current"] = stage
                session["account_login"] = pending
                session.save()

        def sign_out(self, where):
            if self.signed_in(where):
                with clock.clock_at(self.clock):
                    self.clients[where].post("/signout")
                self.flows[where] = Flow()

        def last_code(self, address):
            found = [re.search(r"\b\d{6}\b", mail.text) for mail in mails(realm) if mail.to == address]
            return next((each[0] for each in reversed(found) if each), "")

    return Stages


@pytest.mark.django_db
@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: "-".join(map(str, mix)))
def test_lg_01_signed_in_implies_that_every_required_factor_was_recorded_in_this_flow_for_this_person(settings, mix):
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    realm = make_realm(
        "model", "Model", passkey_sign_in=True, email_code_sign_in=True, phone_verification_required=True
    )
    system = system_actor(realm.pk)
    seen = set()
    with FakeProvider() as fake:
        with realm_scope(realm):
            realm.wanting = create_role(system, name="Careful", kind="console", permissions=[])
            set_role_requirements(system, role_id=realm.wanting.pk, requirements=["second_factor"])
            provider = create_provider(
                system,
                alias="corp",
                name="Corp",
                kind="oidc",
                client_id=fake.client_id,
                secret=fake.client_secret,
                settings={"issuer": fake.issuer},
            )
        for client_id, required in (("strict", ACR_TWO), ("plain", "")):
            application, _ = make_application(realm, client_id=client_id, first_party=True, skip_consent=True)
            if required:
                with realm_scope(realm):
                    change_application(system, application_id=application.pk, required_acr=required)
        stages = machine(realm, provider, fake, mix, seen)
        straight = stages()
        straight.begin()
        straight.walk()
        run_state_machine_as_test(stages, settings=MODEL)
    # A model that never gets anywhere would prove nothing.
    policy, grace, _, hold = mix
    expected = {"password", "passkey", "factor", "plain got", "strict got", "strict asked"}
    if policy == "optional" or grace:
        # Somebody is signed in with one factor, so the application without a rule can wish for more.
        expected.add("plain asked")
    if hold == "hold":
        expected.add("held")
    assert expected <= seen


MODEL = settings(
    max_examples=3,
    stateful_step_count=7,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
    # What fails is short enough as it is; making it shorter takes minutes.
    phases=[Phase.generate],
)
