"""The containers without a container engine: what docker-compose.yml starts runs here, on real servers, as it says."""

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
ORIGIN = "https://id.example.com"
BEHIND_PROXY = {"Host": "id.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


def read_names(folder):
    """Environment variables that the settings read."""
    text = "".join(file.read_text() for file in (ROOT / folder).rglob("*.py"))
    return set(re.findall(r"""(?:environ(?:\.get\()?\[?|env\.\w+\()\s*["']([A-Z_]+)["']""", text))


def test_each_variable_of_the_server_is_one_that_the_settings_read():
    told = set(COMPOSE["x-environment"]) - {"DJANGO_SETTINGS_MODULE"}

    assert told <= read_names("config")
    assert {"SECRET_KEY", "REALMKEEP_MASTER_KEYS", "REALMKEEP_PEPPERS", "DATABASE_URL"} <= told


def test_each_secret_comes_from_the_environment_and_is_written_by_make_env(tmp_path):
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin/make-env", tmp_path / "bin/make-env")
    subprocess.run([tmp_path / "bin/make-env"], check=True, capture_output=True)
    lines = (line.partition("=") for line in (tmp_path / ".env").read_text().splitlines())
    made = {name: value for name, _, value in lines if value}
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text()))

    assert required <= set(made)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    for name in ("REALMKEEP_MASTER_KEYS", "REALMKEEP_PEPPERS"):
        assert len(base64.b64decode(made[name].removeprefix("1:"), validate=True)) == 32

    again = subprocess.run([tmp_path / "bin/make-env"], capture_output=True, text=True, check=False)

    assert again.returncode == 1
    assert "stays as it is" in again.stderr


def test_both_ways_to_run_start_the_same_programs():
    runner = (ROOT / "bin/serve.py").read_text()

    assert SERVICES["live"]["command"][0] == "daphne"
    assert '"config.asgi:application"' in runner
    assert SERVICES["live"]["command"][-1] == "config.asgi:application"
    assert SERVICES["worker"]["command"] == ["python", "manage.py", "run_worker"]
    assert '"manage.py", "run_worker"' in runner
    assert SERVICES["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]
    assert 'manage("migrate"' in runner


def test_no_container_runs_as_root_or_with_a_writable_system():
    users = re.findall(r"^(?:FROM|USER) .*", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert users[-1] == "USER 10001:10001"
    for name in ("migrate", "web", "live", "worker", "demo-realm", "client", "resource-server"):
        service = SERVICES[name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name


def test_the_image_holds_what_the_server_reads_and_no_test():
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert all((ROOT / path).exists() for path in let_in)
    assert {"config", "console", "identity", "static", "templates", "manage.py"} <= set(let_in)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def command_of(service, port):
    """The command of a container with this environment's programs, on a port of this machine."""
    words = SERVICES[service].get("command")
    if words is None:  # the image's own
        last = re.findall(r"^CMD \[(.*)\]", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
        words = yaml.safe_load(f"[{last}]")
    here = {"0.0.0.0": "127.0.0.1", "8000": str(port), "python": sys.executable}
    words = [here.get(word, word) for word in words]
    program = Path(sys.executable).parent / words[0]
    return [str(program) if program.exists() else words[0], *words[1:]]


@pytest.fixture(scope="module")
def database():
    """A database with the two roles that config/postgres/roles.sh makes: its owner, and the server's own."""
    admin = os.environ["TEST_POSTGRES_URL"]
    script = (ROOT / "config/postgres/roles.sh").read_text()
    statements = script.split("<<'SQL'\n")[1].split("SQL\n")[0].replace(":'password'", "'secret'")
    parts = urlsplit(admin)

    def url(user):
        return parts._replace(netloc=f"{user}:secret@{parts.hostname}:{parts.port}", path="/containers").geturl()

    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE realmkeep_owner LOGIN PASSWORD 'secret'")
        connection.execute("CREATE DATABASE containers OWNER realmkeep_owner")
    with psycopg.connect(parts._replace(path="/containers").geturl(), autocommit=True) as connection:
        # The image's first role is a superuser; here the owner must do with less.
        connection.execute("ALTER SCHEMA public OWNER TO realmkeep_owner")
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(statement)
    yield url("realmkeep_app"), url("realmkeep_owner")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE containers WITH (FORCE)")
        connection.execute("DROP ROLE realmkeep_app")
        connection.execute("DROP ROLE realmkeep_owner")


@pytest.fixture(scope="module")
def environment(database, tmp_path_factory):
    key = "1:" + base64.b64encode(b"k" * 32).decode()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": SERVICES["web"]["environment"]["DJANGO_SETTINGS_MODULE"],
        "DATABASE_URL": database[0],
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "SECRET_KEY": "a-key-of-this-test-and-of-nothing-else-0123456789",
        "REALMKEEP_MASTER_KEYS": key,
        "REALMKEEP_PEPPERS": key,
        "REALMKEEP_ORIGIN": ORIGIN,
        "REALMKEEP_TRUSTED_PROXIES": "1",
        "REALMKEEP_DATA": str(tmp_path_factory.mktemp("data")),
    }


@pytest.fixture(scope="module")
def house(environment, database, tmp_path_factory):
    """A copy of what the image holds, with static files collected and tables made as the containers do."""
    folder = tmp_path_factory.mktemp("image")
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                left_out = shutil.ignore_patterns("tests", "__pycache__", "conftest.py", "testing.py")
                shutil.copytree(source, target, ignore=left_out)
            else:
                shutil.copy(source, target)
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=folder, env=environment, check=True)
    migrate = command_of("migrate", 0)
    subprocess.run(migrate, cwd=folder, env={**environment, "MIGRATE_DATABASE_URL": database[1]}, check=True)
    return folder


@pytest.fixture(scope="module")
def running(house, environment, tmp_path_factory):
    """web, live and worker; the ports of the first two."""
    ports = {"web": free_port(), "live": free_port()}
    logs = tmp_path_factory.mktemp("logs")
    processes = {}
    for service in ("web", "live", "worker"):
        with (logs / service).open("wb") as log:
            processes[service] = subprocess.Popen(
                command_of(service, ports.get(service, 0)), cwd=house, env=environment, stdout=log, stderr=log
            )
    try:
        for port in ports.values():
            until = time.monotonic() + 60
            check = [sys.executable, "bin/check_health.py", str(port)]
            while subprocess.run(check, cwd=house, env=environment, check=False).returncode:
                assert time.monotonic() < until, "".join(log.read_text() for log in logs.iterdir())
                time.sleep(0.3)
        yield {**ports, "worker": processes["worker"], "logs": logs}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(30)


@pytest.mark.postgres
@pytest.mark.redis
def test_web_answers_behind_the_proxy(running):
    address = f"http://127.0.0.1:{running['web']}"

    assert httpx.get(f"{address}/readyz", headers=BEHIND_PROXY).status_code == 200
    assert httpx.get(f"{address}/realms/nowhere/signin", headers=BEHIND_PROXY).status_code == 404
    # A health check that needs the right name cannot be used to guess at the realms of a server.
    assert httpx.get(f"{address}/healthz", headers={"Host": "other.example"}).status_code == 404


@pytest.mark.postgres
@pytest.mark.redis
def test_collected_files_are_served_under_names_that_browsers_may_keep(running):
    address = f"http://127.0.0.1:{running['web']}"
    page = httpx.get(f"{address}/", headers=BEHIND_PROXY)
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)

    assert page.status_code == 200
    assert files
    for file in files:
        answer = httpx.get(address + file, headers=BEHIND_PROXY)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.postgres
@pytest.mark.redis
def test_live_takes_only_sockets_of_a_realm(running):
    # An HTTP request where the proxy sends sockets: answered by the same house, not by an error.
    answer = httpx.get(f"http://127.0.0.1:{running['live']}/realms/nowhere/console/live", headers=BEHIND_PROXY)

    assert answer.status_code == 404


@pytest.mark.postgres
@pytest.mark.redis
def test_the_worker_stays_up(running):
    time.sleep(1)

    assert running["worker"].poll() is None, (running["logs"] / "worker").read_text()


@pytest.mark.postgres
@pytest.mark.redis
def test_the_demo_realm_can_be_applied_as_the_profile_does(house, environment):
    words = command_of("demo-realm", 0)
    asked = SERVICES["demo-realm"]["environment"]
    secrets = {name: f"{name.lower()} of the fortieth Tuesday" for name in asked if name.startswith("DEMO_")}

    first = subprocess.run(
        words, cwd=house, env={**environment, **secrets}, capture_output=True, text=True, check=False
    )
    again = subprocess.run(
        words, cwd=house, env={**environment, **secrets}, capture_output=True, text=True, check=False
    )

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
