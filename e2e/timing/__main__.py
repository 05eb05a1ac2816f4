"""Measures what a refusal takes for names of every kind, and compares the distributions: `bin/timing-check`.

In one process, with the database in memory, requests in random order, each from an address of its own. Wall time, as an
attacker would see it without a network in between: what can't be told apart here can't be told apart from afar.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

KINDS = ("known", "unknown", "disabled", "social only", "locked")
PEOPLE = 24
"""Of each kind: nobody is tried so often that he is paused."""
CHANCE = 0.01
LEAST = 1.0
"""Milliseconds that a difference must have to be one: THREATS LG-08 allows five."""


def main() -> int:
    """Measure and compare. Returns 1 when the time tells something about a name."""
    parser = argparse.ArgumentParser(prog="bin/timing-check", description=__doc__)
    parser.add_argument("--samples", type=int, default=150, help="tries for each kind of name")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    with tempfile.TemporaryDirectory(
        prefix="realmkeep-timing-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    ) as data:
        os.environ["REALMKEEP_DATA"] = data
        os.environ.pop("DATABASE_URL", None)
        return _run(options.samples)


def _run(samples: int) -> int:
    import django

    django.setup()
    from e2e.timing.realm import Doors

    doors = Doors(KINDS, PEOPLE)
    worst = 0
    for title, door in (("Sign-in by password", doors.sign_in), ("Forgotten password", doors.reset)):
        worst |= _compare(title, door, samples)
    return worst


def _compare(title: str, door: Callable[[str, int], None], samples: int) -> int:
    from e2e.timing.ranks import mann_whitney

    turns = [(kind, number) for kind in KINDS for number in range(samples)]
    random.shuffle(turns)
    for kind in KINDS:
        door(kind, 0)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind, number in turns:
        start = time.perf_counter()
        door(kind, number)
        times[kind].append((time.perf_counter() - start) * 1000)
    sys.stdout.write(f"\n{title}: {samples} tries of each kind, median in ms; p and shift against a known name\n")
    differs = 0
    for kind in KINDS:
        found = mann_whitney(times["known"], times[kind])
        # Four comparisons: chance alone has four tries.
        told = found.p < CHANCE / (len(KINDS) - 1) and abs(found.shift) > LEAST
        differs |= told
        sys.stdout.write(
            f"  {kind:12} {statistics.median(times[kind]):8.2f}   p {found.p:6.3f}   shift {found.shift:+6.2f}"
            f"{'   TELLS' if told else ''}\n"
        )
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
