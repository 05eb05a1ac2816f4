"""Runs Realmkeep on one machine: prepares the database, then keeps the web server and the worker running.

This is what `make run` starts. In production a supervisor (docker-compose.yml shows one) runs the same two
commands apart, and this file is not used.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from check_health import is_healthy

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable

GRACE_SECONDS = 10  # a worker may finish its job before it is killed
EARLY_SECONDS = 5  # a web server that ends sooner has a fault that a restart will not mend
MOST_RESTARTS_A_MINUTE = 5
READY_SECONDS = 60
PR_SET_PDEATHSIG = 1
WEB = "web server"


class CannotStartError(Exception):
    """The machine is not as we need it; the text tells its owner what to change."""


@dataclass
class Child:
    """One program that is kept running."""

    name: str
    command: list[str]
    die_with_parent: Callable[[], None] | None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    ended_at: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        """Start it in a process group of its own: a terminal's Ctrl-C reaches only us, who stop in order."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            process_group=0,
            preexec_fn=self.die_with_parent,  # noqa: PLW1509 - this runner has one thread
        )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ends_within_a_minute(self) -> int:
        """Count this end and those of the last minute."""
        now = time.monotonic()
        self.ended_at.append(now)
        while now - self.ended_at[0] > 60:
            self.ended_at.popleft()
        return len(self.ended_at)


class Runner:
    """Starts the children, restarts what falls, stops them on a signal: once in order, twice at once."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.stops = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stops += 1

    def start(self) -> None:
        for child in self.children:
            child.start()

    def watch_once(self) -> str | None:
        """Restart what has ended. Returns why the whole must stop, if it must."""
        for child in self.children:
            if child.is_running or child.process is None:
                continue
            code = child.process.returncode
            if child.name == WEB and time.monotonic() - child.started_at < EARLY_SECONDS:
                return f"The web server ended at its start (exit code {code}); its own message is above."
            ends = child.ends_within_a_minute()
            if ends > MOST_RESTARTS_A_MINUTE:
                return f"The {child.name} ended {ends} times within a minute; its own message is above."
            say(f"The {child.name} ended (exit code {code}); starting it again.")
            self.pause(min(0.2 * 2**ends, 5))
            if not self.stops:
                child.start()
        return None

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the next signal."""
        until = time.monotonic() + seconds
        while not self.stops and time.monotonic() < until:
            time.sleep(0.05)

    def stop(self) -> None:
        """End the web server first, so that nothing new comes in, then the worker."""
        for child in self.children:
            if child.is_running and child.process:
                child.process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        already_asked = self.stops
        while any(child.is_running for child in self.children):
            if time.monotonic() > until or self.stops > min(already_asked, 1):
                for child in self.children:
                    if child.is_running and child.process:
                        say(f"The {child.name} did not end in time: killed.")
                        os.killpg(child.process.pid, signal.SIGKILL)
                        child.process.wait()
                return
            time.sleep(0.05)


def say(text: str) -> None:
    print(text, flush=True)


def make_die_with_parent() -> Callable[[], None] | None:
    """Linux ends a child when we end, even by kill -9; elsewhere only an ordered stop reaches it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def die_with_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return die_with_parent


def read_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CannotStartError(f"PORT must be a number from 1 to 65535, and is {text!r}.")
    return int(text)


def check_port(host: str, port: int) -> None:
    """Ask for the port before any work is done; only bind() knows what the web server will meet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, socket.gaierror) as error:
            raise CannotStartError(
                f"Cannot listen on {host}:{port}: {error.strerror}.\n"
                f"Stop the program that uses it, or choose another port: PORT={port % 65535 + 1} make run"
            ) from error


def prepare_data_folder() -> Path:
    """The folder of the embedded database, the generated keys and the development outbox."""
    folder = Path(os.environ.get("REALMKEEP_DATA") or ROOT / "var").absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotStartError(
            f"Cannot write to the data folder {folder}: {error.strerror}.\n"
            "Make it writable, or choose another: REALMKEEP_DATA=/path/to/folder make run"
        ) from error
    return folder


def manage(*arguments: str) -> None:
    result = subprocess.run([PYTHON, "manage.py", *arguments], cwd=ROOT, check=False)
    if result.returncode:
        raise CannotStartError(f"`manage.py {arguments[0]}` failed; its own message is above.")


def prepare_database(*, seeded: bool) -> None:
    manage("migrate", "--verbosity", "0")
    if seeded:
        manage("seed_demo")


def describe_demo() -> str:
    """What to open first and as whom. Without it the server still serves, so a fault here is only shown."""
    result = subprocess.run(
        [PYTHON, "manage.py", "seed_demo", "--describe"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    return result.stdout.strip()


def serve() -> int:
    """Run until a signal or a fault. Returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    port = read_port()
    host = os.environ.get("HOST") or "127.0.0.1"
    check_port(host, port)
    os.environ["REALMKEEP_DATA"] = str(prepare_data_folder())
    # "localhost", not 127.0.0.1: passkeys need a name.
    origin = os.environ.setdefault("REALMKEEP_ORIGIN", f"http://localhost:{port}")
    seeded = not os.environ["DJANGO_SETTINGS_MODULE"].endswith(".prod")
    prepare_database(seeded=seeded)

    die_with_parent = make_die_with_parent()
    listen = ["-b", host, "-p", str(port)]
    web = [PYTHON, "-m", "daphne", "-v", "0", *listen, "config.asgi:application"]
    worker = [PYTHON, "manage.py", "run_worker"]
    runner = Runner([Child(WEB, web, die_with_parent), Child("worker", worker, die_with_parent)])
    runner.start()
    demo = describe_demo() if seeded else ""

    fault = None
    greeted = False
    ready_by = time.monotonic() + READY_SECONDS
    local = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 - compared, not bound
    while not runner.stops and not fault:
        fault = runner.watch_once()
        if not greeted and is_healthy(local, origin):
            greeted = True
            say(f"\nRealmkeep runs at {origin}\n\n{demo}\n")
            say(f"Ctrl-C stops it. The data stays in {os.environ['REALMKEEP_DATA']}.\n")
        elif not greeted and time.monotonic() > ready_by:
            fault = f"The web server did not answer within {READY_SECONDS} seconds."
        runner.pause(0.2)
    if fault:
        print(fault, file=sys.stderr, flush=True)
    else:
        say("\nStopping (Ctrl-C again stops at once).")
    runner.stop()
    return 1 if fault else 0


def main() -> int:
    try:
        return serve()
    except CannotStartError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
