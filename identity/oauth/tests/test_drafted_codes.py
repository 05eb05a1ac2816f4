"""On PostgreSQL a code is stored while its conditions are read: whoever is refused must gain nothing by that."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import make_application
from identity.kernel.context import realm_scope
from identity.oauth.commands import drafting
from identity.oauth.models import Grant
from identity.oauth.tests.flows import Flow
from identity.oauth.tests.test_fastpath import (
    another_backend,
    client_disabled,
    disabled,
    ended,
    idle,
    password_changed,
    straight,
)
from identity.oauth.tests.wsgi import Wsgi

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("on_postgresql")]


def drafts(flow: Flow) -> list[Grant]:
    with realm_scope(flow.realm):
        return list(Grant.objects.order_by("id"))


def test_the_code_is_stored_by_the_statement_that_reads(wsgi: Wsgi, flow: Flow, user_a):
    straight(wsgi, flow)
    with CaptureQueriesContext(connection) as seen:
        status, headers, _ = straight(wsgi, flow)
    assert (status, len(seen)) == (303, 1)
    code = headers["Location"].split("code=")[1].split("&")[0]
    grant = drafts(flow)[-1]
    session = flow.session_of(user_a)
    assert (grant.user_id, grant.session_id, grant.application_id) == (user_a.pk, session.pk, flow.application.pk)
    assert (grant.amr, grant.acr, grant.auth_time) == (session.amr, session.acr, session.authenticated_at)
    assert (grant.scope, grant.nonce, grant.offline, grant.offline_until) == (flow.scope, "n0nce", False, None)
    assert code not in (grant.code, bytes(grant.code_hash).hex())
    claims = flow.decoded(flow.redeem(code).json()["id_token"]).claims
    assert (claims["sub"], claims["sid"], claims["nonce"]) == (str(user_a.pk), str(session.sid), "n0nce")
    assert flow.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("what", [disabled, ended, idle, client_disabled], ids=lambda f: f.__name__)
def test_oa_17_nothing_is_stored_for_what_was_taken_away(wsgi: Wsgi, flow: Flow, what):
    with realm_scope(flow.realm):
        what(flow)
    assert straight(wsgi, flow)[0] == 299
    assert drafts(flow) == []


def test_nothing_is_stored_where_the_person_has_to_decide(wsgi: Wsgi, realm_a, app_a, user_a):
    flow = Flow(realm_a, *app_a).sign_in(user_a)
    assert straight(wsgi, flow)[0] == 299
    assert drafts(flow) == []


@pytest.mark.parametrize("what", [password_changed, another_backend], ids=lambda f: f.__name__)
def test_oa_17_a_draft_that_is_refused_is_given_to_nobody(
    wsgi: Wsgi,
    flow: Flow,
    what,
    monkeypatch: pytest.MonkeyPatch,
):
    """What only we can judge is judged after the draft was stored: the answer knows nothing of it."""
    made: list[str] = []
    secret = drafting.Draft

    def draft(**values):
        made.append(values["code"])
        return secret(**values)

    monkeypatch.setattr("identity.oauth.views.straight.Draft", draft)
    with realm_scope(flow.realm):
        what(flow)
    status, headers, body = straight(wsgi, flow)
    assert (status, len(made), len(drafts(flow))) == (299, 1, 1)
    assert made[0] not in f"{headers}{body!r}"
    with realm_scope(flow.realm):
        assert made[0] not in str(Grant.objects.values_list())


def test_a_page_that_asks_first_leaves_no_code_behind_that_works(wsgi: Wsgi, realm_a, user_a):
    """A native application at a loopback address is asked each time; the draft of its request opens nothing."""
    application, _ = make_application(realm_a, client_id="native", type="native", redirect_uris=["http://127.0.0.1/cb"])
    flow = Flow(realm_a, application, redirect_uri="http://127.0.0.1/cb").sign_in(user_a).consented(user_a)
    assert straight(wsgi, flow)[0] == 299
    (draft,) = drafts(flow)
    for guess in (draft.code, bytes(draft.code_hash).hex(), str(draft.pk)):
        assert flow.redeem(guess).json()["error"] == "invalid_grant"


def test_ti_01_another_realms_session_stores_nothing_here(wsgi: Wsgi, flow: Flow, flow_b: Flow):
    name = f"rk_s_{flow.realm.slug}"
    mine = next(key for key in flow.browser.cookies if key.endswith(name))
    theirs = next(key for key in flow_b.browser.cookies if key.endswith(f"rk_s_{flow_b.realm.slug}"))
    flow.browser.cookies[mine] = flow_b.browser.cookies[theirs].value
    assert straight(wsgi, flow)[0] == 299
    assert (drafts(flow), drafts(flow_b)) == ([], [])
