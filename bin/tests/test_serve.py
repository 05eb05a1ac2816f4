"""The one command: what it says when the machine isn't as it should be, and how it keeps and ends its children."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVE = Path(__file__).parent.parent / "serve.py"

# Runner and Child, with two small programs in place of the web server and the worker.
PLAY = """
import sys
sys.path.insert(0, {folder!r})
from serve import Child, Runner, make_die_with_parent, say
children = [Child(name, [sys.executable, "-c", code], make_die_with_parent()) for name, code in {programs!r}]
runner = Runner(children)
runner.start()
fault = None
while not runner.stops and not fault:
    say("pids " + " ".join(str(child.process.pid) for child in children))
    fault = runner.watch_once()
    runner.pause(0.1)
runner.stop()
say(f"fault: {{fault}}")
"""
LASTS = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def serve(**environment):
    return subprocess.run(
        [sys.executable, str(SERVE)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def play(*programs):
    code = PLAY.format(folder=str(SERVE.parent), programs=list(programs))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def next_pids(process):
    for line in process.stdout:
        if line.startswith("pids"):
            return [int(pid) for pid in line.split()[1:]]
    raise AssertionError("The runner ended.")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child of a killed runner waits as a zombie for whoever inherits it.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_taken_port_is_named_before_anything_is_done(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = serve(PORT=str(port), REALMKEEP_DATA=str(tmp_path / "data"))

    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in result.stderr
    assert f"PORT={port + 1} make run" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = serve(PORT=str(free_port()), REALMKEEP_DATA=str(tmp_path / "file" / "data"))

    assert result.returncode == 1
    assert f"Cannot write to the data folder {tmp_path}/file/data: Not a directory." in result.stderr
    assert "REALMKEEP_DATA=" in result.stderr


@pytest.mark.parametrize("port", ["x", "0", "70000"])
def test_a_port_that_is_none_is_refused(port):
    result = serve(PORT=port)

    assert result.returncode == 1
    assert "PORT must be a number" in result.stderr


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_both_children(number):
    process = play(("web server", LASTS), ("worker", LASTS))
    pids = next_pids(process)

    process.send_signal(number)
    rest = process.communicate(timeout=10)[0]

    assert "fault: None" in rest
    assert not any(is_alive(pid) for pid in pids)


def test_a_second_signal_does_not_wait_for_a_stubborn_child():
    process = play(("web server", LASTS), ("worker", STUBBORN))
    pids = next_pids(process)
    time.sleep(0.5)  # until it ignores the signal

    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=9)[0]

    assert "The worker did not end in time: killed." in rest
    assert time.monotonic() - began < 5
    assert not any(is_alive(pid) for pid in pids)


def test_a_child_that_falls_is_started_again():
    process = play(("web server", LASTS), ("worker", LASTS))
    web, worker = next_pids(process)

    os.kill(worker, signal.SIGKILL)

    assert wait_until(lambda: next_pids(process)[1] != worker)
    assert next_pids(process)[0] == web
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)


def test_a_web_server_that_cannot_start_ends_the_run():
    process = play(("web server", "raise SystemExit(3)"), ("worker", LASTS))
    rest = process.communicate(timeout=10)[0]

    assert "fault: The web server ended at its start (exit code 3)" in rest


def test_a_child_that_keeps_falling_ends_the_run():
    process = play(("web server", LASTS), ("worker", "pass"))
    rest = process.communicate(timeout=40)[0]

    assert "fault: The worker ended 6 times within a minute" in rest


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_no_child_outlives_a_killed_runner():
    process = play(("web server", LASTS), ("worker", LASTS))
    pids = next_pids(process)

    process.kill()
    process.communicate(timeout=10)

    assert wait_until(lambda: not any(is_alive(pid) for pid in pids))
