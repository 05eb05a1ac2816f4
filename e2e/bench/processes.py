"""Starts and stops what a run needs, each on a free port: a throw-away PostgreSQL, and servers."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

START_SECONDS = 120
STOP_SECONDS = 15


class CannotRun(Exception):
    """Something that a run needs is missing on this machine or did not start; the message says what."""


class NotInstalled(CannotRun):
    """The machine has no PostgreSQL: nothing can be measured, and nothing is wrong with us."""


@dataclass(frozen=True)
class Database:
    """A running PostgreSQL."""

    url: str
    pid: int
    version: str


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def throwaway_postgres(pinned: list[str]) -> Iterator[Database]:
    """Run a PostgreSQL of its own, with its usual settings, until the block ends; nothing of it stays."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="realmkeep-bench-"))
    try:
        account = _unprivileged_account()
        if account:
            shutil.chown(folder, account)
        password, port = secrets.token_hex(16), free_port()
        secret_file = folder / "password"
        secret_file.write_text(password)
        if account:
            shutil.chown(secret_file, account)
        data = folder / "data"
        initdb = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "bench",
            "--pwfile",
            secret_file,
            "-A",
            "scram-sha-256",
        ]
        _run([*map(str, initdb), "--locale=C.UTF-8", "--encoding=UTF8"], account)
        command = [
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            str(folder),
        ]
        with _running([*pinned, *command], folder / "log", account=account, stop_with=signal.SIGINT) as process:
            _wait_for(process, folder / "log", lambda: _accepts(binaries, port))
            _run(
                [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "bench"],
                account,
                password,
            )
            version = subprocess.run(
                [str(binaries / "postgres"), "--version"], check=True, capture_output=True, text=True
            ).stdout.strip()
            yield Database(f"postgresql://bench:{password}@127.0.0.1:{port}/bench", process.pid, version)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def gather_statistics(database: Database) -> None:
    """Let PostgreSQL look at its tables as its own autovacuum does within a minute of real use."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("ANALYZE")


@contextmanager
def http_server(
    command: list[str], *, environ: dict[str, str], ready_url: str, log: Path, folder: Path
) -> Iterator[int]:
    """Run a server until the block ends; yields its process id once it answers."""
    with _running(command, log, environ=environ, folder=folder) as process:
        _wait_for(process, log, lambda: _answers(ready_url))
        yield process.pid


@contextmanager
def _running(
    command: list[str],
    log: Path,
    *,
    account: str | None = None,
    environ: dict[str, str] | None = None,
    folder: Path | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=folder or "/",
            start_new_session=True,  # Ctrl-C reaches the run, which then stops its servers in order
            user=account,
            group=_group(account),
            extra_groups=[] if account else None,
        )
    try:
        yield process
    finally:
        # The whole group: what we started may be a launcher, whose child would stay.
        _signal_group(process.pid, stop_with)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:  # ended by itself
        pass


def _postgres_binaries() -> Path:
    """Find PostgreSQL's server programs: Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else []
    candidates += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    for folder in candidates:
        if all((folder / program).exists() for program in ("initdb", "postgres", "createdb", "pg_isready")):
            return folder
    raise NotInstalled("PostgreSQL is needed: install it (Debian: apt-get install postgresql) and run this again.")


def _unprivileged_account() -> str | None:
    """PostgreSQL refuses to run as root: return whom to run it as, if we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise CannotRun("PostgreSQL does not run as root, and there is neither a postgres nor a nobody account.")


def _group(account: str | None) -> int | None:
    return pwd.getpwnam(account).pw_gid if account else None


def _run(command: list[str], account: str | None, password: str = "") -> None:
    result = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PGPASSWORD": password},
        user=account,
        group=_group(account),
        extra_groups=[] if account else None,
    )
    if result.returncode:
        raise CannotRun(f"{Path(command[0]).name} failed: {result.stderr.strip()}")


def _wait_for(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if ready():
            return
        time.sleep(0.1)
    raise CannotRun(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _accepts(binaries: Path, port: int) -> bool:
    probe = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(probe, check=False).returncode == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
