"""Runs the operations in rounds: every server once in each round, so that all meet the same machine."""

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from e2e.bench.cpu import tree_seconds
from e2e.bench.operations import OPERATIONS, Exhausted, Worker
from e2e.bench.target import Target

MOST_FAILURES = 20  # after these a round is given up: the figures would be worth nothing


@dataclass(frozen=True)
class Load:
    """How much load: clients at once, rounds, seconds a round, and the most steps that a round prepares."""

    clients: int
    rounds: int
    seconds: float
    prepared: int


@dataclass(frozen=True)
class Round:
    """What one server did in one round."""

    done: int
    failures: list[str]
    wall_seconds: float
    app_seconds: float
    db_seconds: float
    median_ms: float


@dataclass(frozen=True)
class Figures:
    """One operation at one server: medians over the rounds, in CPU-milliseconds an operation."""

    done: int
    failures: list[str]
    app_ms: float
    db_ms: float
    per_second: float
    median_ms: float

    @property
    def cpu_ms(self) -> float:
        """Application and database."""
        return self.app_ms + self.db_ms


class Runner:
    """Measures targets in turn, one operation after the other."""

    def __init__(self, targets: list[Target], load: Load, warmed: Callable[[], None] = lambda: None) -> None:
        """`warmed` runs after the warm-up of each operation, beside no load."""
        self.targets = targets
        self.load = load
        self.warmed = warmed

    async def measure(self, operation: str, between: Callable[[], None] | None = None) -> dict[str, Figures]:
        """Return the figures of one operation by target; `between` runs once a round, beside no load."""
        workers: dict[str, list[Worker]] = {}
        rounds: dict[str, list[Round]] = {target.name: [] for target in self.targets}
        for target in self.targets:
            workers[target.name] = [OPERATIONS[operation](target) for _ in range(self.load.clients)]
            rounds[target.name] += await _attempt(worker.open() for worker in workers[target.name])
        for number in range(-1, self.load.rounds):
            # Each goes first as often as second; the round before the first only warms up.
            for target in self.targets if number % 2 == 0 else reversed(self.targets):
                if any(result.failures for result in rounds[target.name]):
                    continue
                result = await self._round(target, workers[target.name], warm_up=number < 0)
                if number >= 0 or result.failures:
                    rounds[target.name].append(result)
            if number < 0:
                self.warmed()
            elif between is not None:
                between()
        for worker in (worker for several in workers.values() for worker in several):
            worker.agent.close()
        return {name: _summary(results) for name, results in rounds.items()}

    async def _round(self, target: Target, workers: list[Worker], *, warm_up: bool) -> Round:
        share = self.load.prepared // len(workers)
        if failed := await _attempt(worker.prepare(share // 4 if warm_up else share) for worker in workers):
            return failed[0]
        seconds = self.load.seconds / 3 if warm_up else self.load.seconds
        failures: list[str] = []
        latencies: list[float] = []
        deadline = time.perf_counter() + seconds

        async def run(worker: Worker) -> None:
            while time.perf_counter() < deadline and len(failures) < MOST_FAILURES:
                started = time.perf_counter()
                try:
                    await worker.step()
                except Exhausted:
                    return
                except Exception as problem:  # noqa: BLE001 - whatever it is, it is a failed request
                    failures.append(_described(problem))
                else:
                    latencies.append(time.perf_counter() - started)

        before = tree_seconds(target.app_pids), tree_seconds(target.db_pids), time.perf_counter()
        await asyncio.gather(*(run(worker) for worker in workers))
        wall = time.perf_counter() - before[2]
        app, db = tree_seconds(target.app_pids) - before[0], tree_seconds(target.db_pids) - before[1]
        for result in await _attempt(worker.verify() for worker in workers):
            failures += result.failures
        median = statistics.median(latencies) * 1000 if latencies else 0.0
        return Round(len(latencies), failures, wall, app, db, median)


async def _attempt(steps: Iterable[Coroutine[Any, Any, None]]) -> list[Round]:
    """Take these steps at once; return a failed round when any went wrong, else nothing."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    failures = [_described(result) for result in results if isinstance(result, Exception)]
    return [Round(0, failures, 0.0, 0.0, 0.0, 0.0)] if failures else []


def _described(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"[:300]


def _summary(rounds: list[Round]) -> Figures:
    failures = [failure for result in rounds for failure in result.failures]
    useful = [result for result in rounds if result.done]
    if not useful:
        return Figures(0, failures or ["nothing was done"], 0.0, 0.0, 0.0, 0.0)
    return Figures(
        done=sum(result.done for result in useful),
        failures=failures,
        app_ms=statistics.median(result.app_seconds / result.done * 1000 for result in useful),
        db_ms=statistics.median(result.db_seconds / result.done * 1000 for result in useful),
        per_second=statistics.median(result.done / result.wall_seconds for result in useful),
        median_ms=statistics.median(result.median_ms for result in useful),
    )
