"""Our server under measurement: production settings, PostgreSQL, granian's WSGI, a realm made by a file."""

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urljoin

from e2e.bench.http import Agent, Unexpected
from e2e.bench.processes import CannotRun, Database, free_port, http_server
from e2e.bench.target import Client, Target, redirect_of
from e2e.forms import Form, read_forms

ROOT = Path(__file__).parents[2]
REALM = "bench"
PEOPLE = 200
PASSWORD = "correct horse battery staple"
REDIRECT_URI = "https://rp.example/callback"
AUDIENCE = "https://api.bench.example"
# As docker-compose.yml has it.
THREADS = 4


class OurSignIn:
    """Our sign-in page: people take turns, as they would."""

    def __init__(self, issuer: str) -> None:
        self._url = f"{issuer}/signin"
        self._turns = count()

    async def open_form(self, agent: Agent) -> Form:
        """Fetch the page, and fill its form."""
        response = await agent.get(self._url)
        named = [form for form in read_forms(response.body.decode()) if "login" in form.fields]
        if response.status != 200 or not named:
            raise Unexpected(f"no form for a name at {self._url}: status {response.status}")
        # Two steps, as people take them: the name, then the password.
        form = named[0]
        form.fields["login"] = _email(next(self._turns) % PEOPLE)
        response = await agent.post(urljoin(self._url, form.action), form.fields, cookies=True)
        forms = [form for form in read_forms(response.body.decode()) if form.names("password")]
        if response.status != 200 or not forms:
            raise Unexpected(f"no password form at {self._url}: status {response.status}")
        form = forms[0]
        (password,) = form.names("password")
        form.fields[password] = PASSWORD
        form.action = urljoin(self._url, form.action)
        return form

    async def send_password(self, agent: Agent, form: Form) -> None:
        """Send it; the answer leads on only when the person is signed in."""
        before = dict(agent.cookies)
        redirect_of(await agent.post(form.action, form.fields, cookies=True))
        if agent.cookies == before:
            raise Unexpected("no session cookie after the password")


@contextmanager
def our_server(database: Database, pinned: list[str], work: Path) -> Iterator[Target]:
    """Migrate, apply the realm, and serve until the block ends."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    web = Client("bench-web", secrets.token_urlsafe(32), REDIRECT_URI, "openid profile email")
    service = Client("bench-service", secrets.token_urlsafe(32), scope="bench.read")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("REALMKEEP_", "DJANGO_"))},
        "DJANGO_SETTINGS_MODULE": "config.settings.prod",
        "DATABASE_URL": database.url,
        "REDIS_URL": "",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "REALMKEEP_MASTER_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "REALMKEEP_PEPPERS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "REALMKEEP_DATA": str(work / "data"),
        "REALMKEEP_ORIGIN": origin,
        "REALMKEEP_ALLOW_HTTP": "1",
        "REALMKEEP_TRUSTED_PROXIES": "1",  # visitors come from many addresses, as behind a load balancer
        "BENCH_WEB_SECRET": web.secret,
        "BENCH_SERVICE_SECRET": service.secret,
    }
    realm_file = work / "realm.json"
    realm_file.write_text(json.dumps(_realm(web, service)))  # JSON is YAML
    _manage(environ, "migrate", "--verbosity", "0")
    _manage(environ, "realm", "apply", str(realm_file))
    _manage(environ, "collectstatic", "--noinput", "--verbosity", "0")
    command = [*pinned, str(Path(sys.executable).with_name("granian")), "config.wsgi:application"]
    command += [
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-ws",
        "--no-access-log",
    ]
    command += ["--workers", "1", "--blocking-threads", str(THREADS), "--log-level", "warning"]
    issuer = f"{origin}/realms/{REALM}"
    ready = f"{issuer}/.well-known/openid-configuration"
    with http_server(command, environ=environ, ready_url=ready, log=work / "ours.log", folder=ROOT) as pid:
        yield Target(
            name="ours",
            issuer=issuer,
            web=web,
            service=service,
            sign_in=OurSignIn(issuer),
            app_pids=[pid],
            db_pids=[database.pid],
            behind_proxy=True,
        )


def _realm(web: Client, service: Client) -> dict[str, object]:
    """Return the realm file: the operator's own web application, a service, and people."""
    return {
        "realm": {"slug": REALM, "name": "Bench"},
        "resource_servers": [
            {"identifier": AUDIENCE, "name": "Bench API", "scopes": [{"name": "bench.read", "title": "Read"}]}
        ],
        "applications": [
            {
                "client_id": web.id,
                "name": "Bench web",
                "type": "web",
                "secret": {"env": "BENCH_WEB_SECRET"},
                "redirect_uris": [web.redirect_uri],
                "grant_types": ["authorization_code", "refresh_token"],
                "scopes": web.scope.split(),
                "first_party": True,
                "skip_consent": True,
            },
            {
                "client_id": service.id,
                "name": "Bench service",
                "type": "service",
                "secret": {"env": "BENCH_SERVICE_SECRET"},
                "grant_types": ["client_credentials"],
                "scopes": service.scope.split(),
            },
        ],
        "users": [
            {
                "key": f"person-{number}",
                "email": _email(number),
                "email_verified": True,
                "name": f"Person {number}",
                "password": PASSWORD,
            }
            for number in range(PEOPLE)
        ],
    }


def _email(number: int) -> str:
    return f"person-{number}@bench.example"


def _manage(environ: dict[str, str], *arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise CannotRun(f"manage.py {' '.join(arguments[:2])} failed:\n{result.stderr[-2000:]}")
