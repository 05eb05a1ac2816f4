"""A model of the stages: signed in ⇒ every factor that is required was shown in this flow, for this person (LG-01)."""

from datetime import timedelta
from itertools import count

import pytest
from django.contrib.auth import SESSION_KEY
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from conftest import PASSWORD, make_realm, make_user
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.mfa import commands
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import himself
from identity.mfa.tests.test_commands import with_app
from identity.sessions.testing import RealmClient

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PATHS = [
    "/signin/confirm",
    "/signin/add",
    "/signin/add/app",
    "/signin/add/passkey",
    "/signin/add/email",
    "/signin/again",
]
WHO = st.sampled_from(["with", "without", "other"])
number = count()


def machine(realm):  # noqa: C901 - the model is one, and its rules belong side by side
    class Stages(RuleBasedStateMachine):
        """Three people: two hold an app and recovery codes, one holds nothing and has to add a factor."""

        def __init__(self):
            super().__init__()
            self.clock = clock.now()
            self.people, self.codes = {}, {}
            for name in ("with", "without", "other"):
                user = make_user(realm, f"{name}-{next(number)}@example.com", name=name)
                self.people[name] = user
                if name != "without":
                    with realm_scope(realm):
                        with_app(user)
                        self.codes[name] = commands.generate_recovery_codes(himself(user), user_id=user.pk)
            self.client = RealmClient(realm)
            self.first = self.second = None

        def at(self):
            # Each code of the app is another one.
            self.clock += timedelta(seconds=90)
            return clock.clock_at(self.clock)

        def begins(self, who):
            self.first, self.second = who, None

        @rule(who=WHO, right=st.booleans())
        def password(self, who, right):
            if self.signed_in():
                return
            with self.at():
                self.client.post(
                    "/signin", {"login": self.people[who].email, "password": PASSWORD if right else "wrong password"}
                )
            if right:
                self.begins(who)

        @rule(who=WHO, right=st.booleans())
        def app_code(self, who, right):
            with self.at():
                code = code_at(SECRET, clock.now()) if right else "000000"
                self.client.post("/signin/confirm", {"code": code})
            # All apps share one key here: the code is right for whoever is asked.
            if right and self.first in ("with", "other"):
                self.second = self.first

        @rule(who=st.sampled_from(["with", "other"]))
        def recovery_code(self, who):
            if not self.codes[who]:
                return
            with self.at():
                page = self.client.get("/signin/confirm?method=recovery_codes")
                factor = page.context["factor"].id if page.status_code == 200 and page.context else "a0"
                code = self.codes[who].pop()
                self.client.post("/signin/confirm", {"factor": factor, "code": code})
            if self.first == who:
                self.second = who

        @rule(
            path=st.sampled_from(PATHS),
            method=st.sampled_from(["get", "post"]),
            field=st.sampled_from(["", "send", "trust", "code", "credential"]),
        )
        def out_of_order(self, path, method, field):
            with self.at():
                getattr(self.client, method)(path, {field: "yes"} if field else {})

        @rule()
        def repeat_the_last_page(self):
            with self.at():
                self.client.get("/signin")

        @rule()
        def an_unknown_stage(self):
            session = self.client.session
            pending = session.get("account_login")
            if pending:
                pending["state"].setdefault("stages", {})["current"] = "no_such_stage"
                session["account_login"] = pending
                session.save()

        @rule()
        @precondition(lambda self: self.signed_in())
        def sign_out(self):
            with self.at():
                self.client.post("/signout")
            self.first = self.second = None

        def signed_in(self):
            return self.client.session.get(SESSION_KEY)

        @invariant()
        def signed_in_means_shown(self):
            who = self.signed_in()
            if not who:
                return
            name = next(name for name, user in self.people.items() if str(user.pk) == who)
            assert self.first == name, "somebody whose first step was not shown"
            assert name != "without", "nobody gets in without a factor here"
            assert self.second == name, "a factor was not shown in this flow by this person"

    return Stages


@pytest.mark.django_db
def test_lg_01_signed_in_implies_that_every_required_factor_was_recorded_in_this_flow_for_this_person():
    realm = make_realm("model", "Model", second_factor="required")
    run_state_machine_as_test(
        machine(realm),
        settings=settings(
            max_examples=15,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        ),
    )
