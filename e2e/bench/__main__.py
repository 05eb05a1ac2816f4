"""Runs the whole measurement: `python -m e2e.bench`, by way of bin/bench."""

import argparse
import asyncio
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from e2e.bench.cpu import split_processors
from e2e.bench.oidc_provider import peer_server
from e2e.bench.operations import OPERATIONS
from e2e.bench.ours import ROOT, THREADS, our_server
from e2e.bench.processes import CannotRun, Database, NotInstalled, gather_statistics, throwaway_postgres
from e2e.bench.report import Line, as_markdown, budget_of, cheaper, passed
from e2e.bench.rounds import Load, Runner
from e2e.bench.target import Target

VERIFICATIONS = 25  # of a bare password, in each round


def main() -> int:
    """Measure, print and write the table. Returns 1 when something failed or is over its budget."""
    options = _options()
    pinned, rest = split_processors()
    os.sched_setaffinity(0, rest)
    # A stop from outside ends the servers as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="realmkeep-bench-")))
            _say("Starting PostgreSQL, our server and the peer.")
            database = stack.enter_context(throwaway_postgres(pinned))
            targets = [
                stack.enter_context(our_server(database, pinned, work)),
                stack.enter_context(peer_server(pinned, work)),
            ]
            lines, bare_verify_ms = asyncio.run(_measure(targets, options, pinned, database))
            circumstances = _circumstances(options, pinned, database.version)
    except NotInstalled as problem:
        _say(f"SKIPPED, nothing was measured. {problem}")
        return 0
    except CannotRun as problem:
        _say(str(problem))
        return 2
    except KeyboardInterrupt:
        return 130
    table = as_markdown(lines, bare_verify_ms, circumstances)
    for path in [ROOT / "var" / "bench.md", *([ROOT / "docs" / "bench.md"] if options.publish else [])]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(table)
    sys.stdout.write(f"\n{table}")
    return 0 if passed(lines) else 1


async def _measure(
    targets: list[Target], options: argparse.Namespace, pinned: list[str], database: Database
) -> tuple[list[Line], float | None]:
    for target in targets:
        await target.discover()
    # Else each plan is a guess: a new database has no statistics yet.
    warmed = partial(gather_statistics, database)
    runner = Runner(targets, Load(options.clients, options.rounds, options.seconds, options.prepared), warmed)
    lines = [await _line(runner, operation, pinned) for operation in options.operations]
    # A machine that others use, too, is slow for a minute at times, and never too fast: what it costs is what the
    # cheaper time says.
    lines = [cheaper(line, await _line(runner, line.operation, pinned)) if line.over_budget else line for line in lines]
    return lines, next((line.bare_verify_ms for line in lines if line.bare_verify_ms is not None), None)


async def _line(runner: Runner, operation: str, pinned: list[str]) -> Line:
    _say(f"Measuring {operation.replace('_', ' ')}.")
    bare: list[float] = []
    between = (lambda: bare.append(_bare_verification(pinned))) if operation == "password_signin" else None
    figures = await runner.measure(operation, between)
    bare_verify_ms = statistics.median(bare) if bare else None
    budget = budget_of(operation, bare_verify_ms)
    return Line(operation, figures["ours"], figures["peer"], budget, bare_verify_ms=bare_verify_ms)


def _bare_verification(pinned: list[str]) -> float:
    command = [*pinned, sys.executable, "-m", "e2e.bench.argon2_baseline", str(VERIFICATIONS)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def _circumstances(options: argparse.Namespace, pinned: list[str], database: str) -> dict[str, str]:
    revision = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.strip()
    busy, processors = os.getloadavg()[1], os.cpu_count() or 1
    return {
        "When": time.strftime("%Y-%m-%d"),
        "Revision": revision or "unknown",
        "Machine": f"{_processor()}, {processors} processors, {platform.system()}",
        # A processor that others use too has colder caches: CPU time grows with it, if less than wall-clock time.
        "Other work": f"load average {busy:.1f} on {processors} processors; this run alone makes about 2",
        "Software": f"Python {platform.python_version()}, {database}",
        "Ours": f"granian, WSGI, 1 worker, {THREADS} threads, production settings, ES256",
        "Load": f"{options.clients} clients, {options.rounds} rounds of {options.seconds:g} s, servers "
        + ("and database pinned to one processor, the load on another" if pinned else "not pinned"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bin/bench", description="What protocol operations cost, beside a peer.")
    parser.add_argument("operations", nargs="*", metavar="operation", help=", ".join(OPERATIONS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="a round, for each server")
    parser.add_argument("--clients", type=int, default=8, help="at once")
    parser.add_argument("--prepared", type=int, default=400, help="most steps of a round that needs preparing")
    parser.add_argument("--publish", action="store_true", help="write docs/bench.md too")
    options = parser.parse_args()
    options.operations = options.operations or list(OPERATIONS)
    if unknown := set(options.operations) - set(OPERATIONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
