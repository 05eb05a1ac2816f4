"""The demo's history: figures and charts that are believable from the first look."""

from datetime import timedelta

import pytest

from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.metrics import queries, rules
from identity.oauth.models import RefreshFamily
from identity.oauth.queries.issued import issued_to_people
from identity.oauth.queries.sizes import size_of
from identity.realmfiles.commands import apply_realm_file
from identity.realmfiles.demo import history
from identity.realmfiles.rules import parse
from identity.realmfiles.tests.test_realm_files import DEMO, ENVIRONMENT
from identity.realms.models import Realm
from identity.sessions.queries import count_live_sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Realm:
    with history.before_it(1):
        applied = apply_realm_file(
            system_actor(Realm().pk), document=parse(DEMO.read_text(encoding="utf-8")), environment=ENVIRONMENT
        )
    history.write(applied.realm, days=1)
    return applied.realm


def test_the_first_look_finds_figures_and_lines(acme: Realm) -> None:
    until = clock.now() + rules.BUCKET
    since = until - timedelta(hours=24)
    actor = system_actor(acme.pk)
    with realm_scope(acme):
        totals = queries.totals(actor, names=(rules.SIGNINS, rules.FAILURES, rules.TOKENS), since=since, until=until)
        line = [p.value for p in queries.series(actor, name=rules.ACTIVE_SESSIONS, since=since, until=until)]
        tokens = [p.value for p in queries.series(actor, name=rules.TOKENS, since=since, until=until)]
        now = count_live_sessions(actor)
    # Who comes is signed in to an application, and a service asks for a token of its own each hour.
    assert totals[rules.TOKENS] >= totals[rules.SIGNINS] > 50
    assert 0 < totals[rules.FAILURES] < totals[rules.SIGNINS]
    assert len(line) >= 40
    assert max(line) > min(line) >= 0
    assert line[-1] == now > 0
    assert sum(1 for value in tokens if value) > 20


def test_it_is_history_and_says_so(acme: Realm) -> None:
    told = AuditEvent.objects.filter(realm_id=acme.pk, type="token.issued")
    assert told.filter(payload__backfilled=True).count() == told.count() > 50
    with realm_scope(acme):
        assert RefreshFamily.objects.filter(status="active").exists()
    came_in = AuditEvent.objects.filter(realm_id=acme.pk, type="signin.succeeded")
    assert all(row.actor_id == row.target_id for row in came_in), "people read of themselves as “you”"


def test_refresh_tokens_are_counted_that_still_work(acme: Realm) -> None:
    """Those of a session that ran out are refused, so no dialog says that it would revoke them."""
    operator = system_actor(acme.pk)
    size = size_of(operator, realm=acme)
    with realm_scope(acme):
        families = RefreshFamily.objects.filter(status="active").count()
        people = User.objects.values_list("pk", flat=True)
        issued = issued_to_people(acme, people)
    assert 0 < size.refresh_tokens < families
    assert (issued.sessions, issued.refresh_tokens) == (size.sessions, size.refresh_tokens)
