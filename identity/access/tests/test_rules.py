"""Pure decisions of access, by table and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.access import rules
from identity.kernel.errors import Invalid
from identity.kernel.permissions import PLATFORM_ONLY, REALM_PERMISSIONS, Permission

some_permissions = st.frozensets(st.sampled_from(list(Permission)))


@pytest.mark.parametrize("role", rules.built_in_roles(platform=False), ids=lambda role: role.name)
def test_ac_01_no_built_in_role_of_a_realm_holds_a_platform_permission(role):
    assert not role.held(platform=False) & PLATFORM_ONLY


def test_only_owner_makes_owners():
    makers = {role.name for role in rules.built_in_roles(platform=True) if Permission.OWNERS_ASSIGN in role.permissions}
    assert makers == {rules.OWNER}


def test_owner_holds_everything_of_a_realm_and_in_platform_everything():
    owner = rules.built_in_role(rules.OWNER)
    assert owner.held(platform=False) == REALM_PERMISSIONS
    assert owner.held(platform=True) == frozenset(Permission)


def test_every_built_in_role_opens_the_console():
    assert all(Permission.CONSOLE_OPEN in role.permissions for role in rules.built_in_roles(platform=True))


def test_auditor_changes_nothing():
    auditor = rules.built_in_role("Auditor").held(platform=False)
    changing = {p for p in auditor if not p.endswith(":read")}
    assert changing == {Permission.CONSOLE_OPEN, Permission.AUDIT_EXPORT}


@given(st.lists(some_permissions, max_size=4))
def test_ac_01_stored_platform_permissions_give_nothing_outside_platform(stored):
    held = rules.effective_permissions([[str(p) for p in each] for each in stored], platform=False)
    assert held == frozenset().union(*stored) - PLATFORM_ONLY


def test_unknown_stored_words_give_nothing():
    assert rules.effective_permissions([["roles:read", "root:everything", ""]], platform=True) == {
        Permission.ROLES_READ
    }


@given(some_permissions)
def test_checked_permissions_accept_exactly_what_a_realm_may_hold(asked):
    words = [str(p) for p in asked]
    assert rules.checked_permissions(words, platform=True) == asked
    if asked & PLATFORM_ONLY:
        with pytest.raises(Invalid) as refusal:
            rules.checked_permissions(words, platform=False)
        assert refusal.value.field == "permissions"
    else:
        assert rules.checked_permissions(words, platform=False) == asked


@pytest.mark.parametrize("word", ["auth.add_user", "is_superuser", "*", "roles:", "ROLES:READ", "guardian.add_grant"])
def test_ac_01_words_that_are_no_permission_are_refused(word):
    with pytest.raises(Invalid):
        rules.checked_permissions([word], platform=True)


@given(held=some_permissions, granted=some_permissions)
def test_ac_02_granting_needs_every_single_permission(held, granted):
    assert (not rules.missing_to_grant(held, granted)) == (granted <= held)


@given(some_permissions)
def test_equal_sets_are_stored_equally(permissions):
    stored = rules.stored_permissions(permissions)
    assert stored == sorted(set(stored))
    assert set(stored) == {str(p) for p in permissions} | {"console:open"}


@pytest.mark.parametrize(
    ("text", "name"), [(" Help   desk ", "Help desk"), ("Fachschaft Ä", "Fachschaft Ä"), ("x" * 100, "x" * 100)]
)
def test_role_names_have_one_spelling(text, name):
    assert rules.checked_role_name(text) == name


@pytest.mark.parametrize("text", ["", "   ", "x" * 101, "tab\x00", "turned\u202earound"])
def test_impossible_role_names_are_refused(text):
    with pytest.raises(Invalid) as refusal:
        rules.checked_role_name(text)
    assert refusal.value.field == "name"


@pytest.mark.parametrize("text", ["", "   ", "why", "x" * 301])
def test_a_visit_needs_a_reason(text):
    with pytest.raises(Invalid) as refusal:
        rules.checked_reason(text)
    assert refusal.value.field == "reason"


@pytest.mark.parametrize(("minutes", "fits"), [(0, False), (-5, False), (1, True), (60, True), (61, False)])
def test_a_visit_lasts_at_most_an_hour(minutes, fits):
    if fits:
        assert rules.checked_visit_length(minutes).total_seconds() == minutes * 60
    else:
        with pytest.raises(Invalid):
            rules.checked_visit_length(minutes)
