"""DS-01 against a real server: a flood of sign-ins is bounded, told apart from failure, and starves nobody else."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from conftest import PASSWORD, basic, make_application, make_realm, make_user
from console.live.tests.test_server import database_url, free_port
from identity.audit.models import AuditEvent
from identity.oauth.tests.flows import Flow
from identity.realms.models import Realm
from identity.signin import hashing

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_postgresql"),
]
ROOT = Path(__file__).resolve().parents[3]
SIGN_INS = 200
THREADS = 64
WRONG = 200  # the form again
HASH = 20 * 1024 * 1024
ANYTIME = 60.0  # seconds: what comes at all, on however busy a machine


class Server:
    """granian as in production, with enough threads for a queue to form, on one processor: one hash at a time."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process

    def ask(
        self, method: str, path: str, *, ip: str = "127.0.0.1", form: dict[str, str] | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        """One request from one address of this machine; the body is read."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANYTIME, source_address=(ip, 0))
        body = urllib.parse.urlencode(form) if form is not None else None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, body, headers)
        answer = line.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        line.close()
        return answer

    def workers(self) -> list[int]:
        """granian's children: the processes that serve."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def memory(self) -> int:
        """Bytes of the process that serves."""
        return max(_resident(pid) for pid in self.workers())

    def pause(self, seconds: float) -> None:
        """The machine has something else to do for a while, so that a fast one queues as a slow one would."""
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in self.workers():
                os.kill(pid, number)
            if number == signal.SIGSTOP:
                time.sleep(seconds)


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": database_url(),
        "REALMKEEP_ORIGIN": f"http://127.0.0.1:{port}",
    }
    granian = str(Path(sys.executable).with_name("granian"))
    command = [granian, "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    command += ["--workers", "1", "--blocking-threads", str(THREADS), "config.wsgi:application"]
    log = tmp_path / "server.log"
    one_processor = {min(os.sched_getaffinity(0))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, one_processor),  # noqa: PLW1509 - no thread of ours runs yet
        )
    made = Server(port, process)
    try:
        deadline = time.monotonic() + ANYTIME
        while True:
            try:
                if made.ask("GET", "/healthz").status == 200:
                    break
            except OSError:
                time.sleep(0.1)
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
        yield made
    finally:
        process.terminate()
        process.wait(30)


def test_ds_01_a_flood_of_sign_ins_is_bounded_and_starves_nobody(server: Server) -> None:
    realm = make_realm("flood", "Flood")
    dana = make_user(realm, "dana@example.com", name="Dana")
    application, secret = make_application(realm)
    refresh_token = Flow(realm, application, secret).sign_in(dana).consented(dana).tokens()["refresh_token"]
    mount = f"/realms/{realm.slug}"
    page = server.ask("GET", f"{mount}/signin")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)  # type: ignore[attr-defined]
    assert token is not None
    cookie = "; ".join(value.partition(";")[0] for value in page.headers.get_all("Set-Cookie") or [])
    before, told, lock = server.memory(), Counter[int](), threading.Lock()
    waits: set[str] = set()
    gate = threading.Barrier(SIGN_INS + 1)
    over = threading.Event()

    def guess(number: int) -> None:
        # Each from an address and for a name of its own: no counter of tries is what answers here.
        form = {
            "login": f"dana{number}@example.com",
            "password": "wrong",
            "csrfmiddlewaretoken": token[1],
        }
        gate.wait(ANYTIME)
        answer = server.ask("POST", f"{mount}/signin", ip=f"127.0.1.{number + 1}", form=form, Cookie=cookie)
        with lock:
            told[answer.status] += 1
            if answer.status == 503:
                waits.add(answer.headers["Retry-After"])

    others: dict[str, list[int]] = {"healthz": [], "refresh": []}
    most = 0

    def live_on() -> None:
        nonlocal refresh_token, most
        gate.wait(ANYTIME)
        while not over.is_set():
            others["healthz"].append(server.ask("GET", "/healthz").status)
            most = max(most, server.memory())
            form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            headers = {"Authorization": basic(application.client_id, secret)["HTTP_AUTHORIZATION"]}
            answer = server.ask("POST", f"{mount}/oauth/token", form=form, **headers)
            others["refresh"].append(answer.status)
            found = re.search(r'"refresh_token": ?"([^"]+)"', answer.text)  # type: ignore[attr-defined]
            refresh_token = found[1] if found else refresh_token

    bystander = threading.Thread(target=live_on)
    bystander.start()
    guesses = [threading.Thread(target=guess, args=(number,)) for number in range(SIGN_INS)]
    for thread in guesses:
        thread.start()
    time.sleep(0.5)
    server.pause(hashing.LONGEST_WAIT + 0.5)
    for thread in guesses:
        thread.join(2 * ANYTIME)
    over.set()
    bystander.join(2 * ANYTIME)

    assert told.total() == SIGN_INS
    assert set(told) <= {WRONG, 503}, told
    assert told[WRONG] > 0, told
    assert told[503] > 0, "who waited for longer than two seconds is told that the server is busy"
    assert waits == {"2"}
    # Who was refused as busy was not looked at: nothing is said of him. Every other is in the trail.
    assert _failures(realm) == told[WRONG]
    assert others["healthz"]
    assert set(others["healthz"]) == {200}
    assert others["refresh"]
    assert set(others["refresh"]) == {200}
    # One hash at a time, besides what sixty-four threads and their connections take; 200 hashes would be 4 GB.
    assert most - before < HASH + THREADS * 6 * 1024 * 1024, (before, most)
    form = {"login": "dana@example.com", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    assert server.ask("POST", f"{mount}/signin", form=form, Cookie=cookie).status == 302, "all is as before"


def _failures(realm: Realm) -> int:
    connection.close()
    return AuditEvent.objects.filter(realm_id=realm.pk, type="signin.failed").count()
