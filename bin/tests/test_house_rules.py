"""Each house rule with what it refuses and what it lets pass."""

from textwrap import dedent

import pytest

from bin.house_rules import RULES, Source, doors, findings, known_files, read_source

BAD = [
    ("HR01", "console/people/views.py", "User.objects.get(pk=1)"),
    ("HR01", "console/people/tables.py", "user.save()"),
    ("HR01", "identity/oauth/views/token.py", "get_token().delete()"),
    ("HR02", "identity/accounts/utils.py", "'''Things.'''"),
    ("HR02", "console/helpers/dates.py", "'''Things.'''"),
    ("HR03", "identity/accounts/commands.py", "def lock_user(actor, *, user): user.status = 'locked'"),
    ("HR04", "identity/accounts/commands.py", "from django.http import HttpRequest"),
    ("HR04", "identity/accounts/queries.py", "from django.shortcuts import get_object_or_404"),
    ("HR05", "identity/accounts/queries.py", "User.all_realms.count()"),
    ("HR06", "identity/accounts/rules.py", "from identity.accounts.models import User"),
    ("HR06", "identity/accounts/rules/password.py", "from django.conf import settings"),
    ("HR06", "identity/accounts/rules.py", "from identity.kernel import clock"),
    ("HR07", "identity/accounts/queries.py", "\n" * 401),
    ("HR08", "identity/accounts/commands.py", "def lock_user(actor, user): record(actor, x)"),
    ("HR09", "identity/accounts/commands.py", "def lock_user(actor, *, user):\n    user.save()\n    record(actor, x)"),
    ("HR10", "identity/security/reactions.py", "subscribe('user.locked', on_locked)"),
    ("HR11", "identity/accounts/__init__.py", "'''Accounts.'''\nfrom identity.accounts.models import User"),
    ("HR11", "identity/accounts/__init__.py", ""),
    ("HR12", "templates/a.html", "<p>\n<script>alert(1)</script>"),
    ("HR12", "templates/a.html", "<style>p {}</style>"),
    ("HR12", "templates/a.html", '<a href="x" onclick="go()">'),
    ("HR12", "templates/a.html", '<a href="javascript:go()">'),
    ("HR12", "templates/a.html", "{{ user.name|safe }}"),
]

GOOD = [
    ("console/people/views.py", "get_user(actor, user_id=1)\nrequest.session.delete('x')\ncache.delete('x')"),
    ("identity/accounts/queries.py", "User.objects.get(pk=1)"),
    ("identity/accounts/tests/test_commands.py", "User.all_realms.get(pk=1)"),
    ("identity/kernel/tenancy.py", "model.all_realms.count()"),
    (
        "identity/accounts/commands.py",
        """
        from identity.sessions.commands import end_sessions

        def _end(actor, user):
            record(actor, UserLocked(user.id))

        def lock_user(actor, *, user):
            user.save(update_fields=["status"])
            _end(actor, user)

        def lock_all(actor, *, users):
            for user in users:
                lock_user(actor, user=user)

        def forget_user(actor, *, user):
            end_sessions(actor, user=user)

        def touch_user(actor, *, user):  # house: HR03 a clock tick, not something that happened
            user.touch()
        """,
    ),
    (
        "identity/accounts/rules.py",
        "from django.utils.translation import gettext_lazy\nfrom identity.kernel.errors import Invalid",
    ),
    ("identity/realms/rules.py", "from identity.realms.models import DEFAULT_SETTINGS, RealmStatus"),
    ("config/wiring.py", "subscribe('user.locked', on_locked)"),
    ("identity/accounts/__init__.py", "'''Accounts: people, their states and their passwords.'''"),
    (
        "templates/a.html",
        '<script src="{% static "a.js" %}" defer></script><script type="application/json">{}</script>',
    ),
    ("templates/a.html", "{# <style> would be blocked #}<p data-on='x'>{{ user.name }}</p>"),
    ("templates/email/welcome/body.html", "<style>p {}</style>"),
]


def broken(path: str, text: str) -> set[str]:
    return {code for code, _, _ in findings(Source(path, dedent(text), doors=doors()))}


@pytest.mark.parametrize(("rule", "path", "text"), BAD)
def test_a_breach_is_found(rule, path, text):
    assert rule in broken(path, text)


@pytest.mark.parametrize(("path", "text"), GOOD)
def test_good_code_passes(path, text):
    assert broken(path, text) == set()


def test_every_rule_has_a_bad_example():
    assert {rule for rule, _, _ in BAD} == set(RULES)


def test_a_command_may_record_through_a_module_beside_it():
    text = "from identity.accounts.commands.state import change\n\ndef lock_user(actor, *, user): change(actor)"
    beside = {"state.py": "def change(actor): record(actor, x)"}
    source = Source("identity/accounts/commands/lock.py", text, siblings=beside)

    assert list(findings(source)) == []


def test_of_a_folder_of_commands_only_what_it_hands_out_is_one():
    beside = {"__init__.py": "from identity.accounts.commands.lock import lock_user"}
    text = "def lock_user(actor, user): pass\n\ndef fetch(actor, user): pass"
    source = Source("identity/accounts/commands/lock.py", text, siblings=beside)

    assert [(code, line) for code, line, _ in findings(source)] == [("HR03", 1), ("HR08", 1)]


def test_an_excuse_needs_a_reason():
    path, command = "identity/accounts/commands.py", "def touch(actor):  # house: HR03"

    assert broken(path, f"{command}\n    pass") == {"HR03"}
    assert broken(path, f"{command} only a clock tick\n    pass") == set()


def test_the_houses_own_files_are_read():
    files = known_files()

    assert "bin/house_rules.py" in files
    assert read_source("bin/house_rules.py", ()).tree.body
