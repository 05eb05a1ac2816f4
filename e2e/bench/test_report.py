"""The bench fails a run that is over its budget, or in which anything went wrong."""

from pathlib import Path

import pytest

from e2e.bench.__main__ import main
from e2e.bench.report import Line, as_markdown, budget_of, cheaper, passed
from e2e.bench.rounds import Figures


def figures(app_ms: float, db_ms: float = 0.0, failures: tuple[str, ...] = ()) -> Figures:
    return Figures(100, list(failures), app_ms, db_ms, 1000.0, 1.0)


def line(ours: Figures, budget: float | None = 1.0) -> Line:
    return Line("userinfo", ours, figures(0.2), budget)


def test_database_counts_against_the_budget():
    assert passed([line(figures(0.6, 0.3))])
    assert not passed([line(figures(0.6, 0.5))])


def test_failed_requests_fail_the_run_however_cheap_they_were():
    assert not passed([line(figures(0.1, failures=("Unexpected: status 500",)))])
    assert "status 500" in as_markdown([line(figures(0.1, failures=("Unexpected: status 500",)))], None, {})


def test_operation_without_a_budget_is_only_shown():
    assert passed([line(figures(99.0), budget=None)])


def test_a_machine_without_postgresql_skips_loudly(monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr(Path, "glob", lambda _path, _pattern: iter(()))
    monkeypatch.setattr("os.sched_setaffinity", lambda _pid, _processors: None)
    monkeypatch.setattr("signal.signal", lambda _number, _handler: None)
    monkeypatch.setattr("sys.argv", ["bench"])
    assert main() == 0
    assert "SKIPPED" in capsys.readouterr().err


@pytest.mark.parametrize(("bare", "budget"), [(16.0, 25.0), (30.0, 39.0), (None, None)])
def test_sign_in_may_cost_the_bare_verification_of_this_run_plus_nine(bare: float | None, budget: float | None):
    assert budget_of("password_signin", bare) == budget


def test_table_shows_both_servers_and_the_verdict():
    table = as_markdown([line(figures(0.6, 0.6))], None, {"When": "today"})
    assert "| userinfo | 0.60 | 0.60 | 1.20 | 0.20 | 6.0 | 1.00 | **no** |" in table


def test_of_two_measurements_the_cheaper_stands_and_both_are_shown():
    slow, right = line(figures(1.3)), line(figures(0.8))
    kept = cheaper(slow, right)
    assert (kept.ours.cpu_ms, kept.former_ms, passed([kept])) == (0.8, 1.3, True)
    assert "0.80 stands, the other time it was 1.30" in as_markdown([kept], None, {})
    assert not passed([cheaper(slow, line(figures(1.2)))])
    assert cheaper(slow, line(figures(1.4))).ours.cpu_ms == 1.3


def test_a_failure_is_never_measured_away():
    failed = line(figures(0.1, failures=("Unexpected: status 500",)))
    assert not passed([cheaper(line(figures(1.3)), failed)])
    assert not passed([cheaper(failed, line(figures(0.1)))])
