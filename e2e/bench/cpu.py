"""CPU time of whole process trees, read from /proc, and which processor each side runs on."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree_seconds(roots: Iterable[int]) -> float:
    """Return the CPU seconds that these processes, their descendants and their reaped children have used."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:  # ended while we were looking
            continue
        # The command's name may hold spaces and parentheses: what follows the last one is regular.
        fields = stat[stat.rindex(")") + 2 :].split()
        pid = int(entry.name)
        children.setdefault(int(fields[1]), []).append(pid)
        ticks[pid] = sum(int(value) for value in fields[11:15])  # utime, stime, cutime, cstime
    waiting, seen = list(roots), set()
    while waiting:
        pid = waiting.pop()
        if pid in ticks and pid not in seen:
            seen.add(pid)
            waiting += children.get(pid, [])
    return sum(ticks[pid] for pid in seen) / _TICKS


def split_processors() -> tuple[list[str], set[int]]:
    """Return the command prefix that pins a server to one processor, and the processors left for the load.

    Without a second processor, or without taskset, nothing is pinned: the figures are noisier, not wrong.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2 or not shutil.which("taskset"):
        return [], set(usable)
    return ["taskset", "-c", str(usable[0])], set(usable[1:])
