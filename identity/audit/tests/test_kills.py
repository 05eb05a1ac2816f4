"""AU-01, AU-02: processes and the database's server are killed; nothing acknowledged is lost, nothing counted twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from conftest import copy_tables

ROOT = Path(__file__).resolve().parents[3]


def kill_writers(**environment: str) -> dict[str, object]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "REALMKEEP_", "DATABASE_", "REDIS_"))}
    result = subprocess.run(
        [sys.executable, "bin/kill_writers.py", "--kills", "25"],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    return json.loads(result.stdout)


def test_au_01_after_25_kills_acknowledged_is_audited_on_the_embedded_database(tmp_path: Path):
    copy_tables(tmp_path / "kills.sqlite3")
    told = kill_writers(DATABASE_URL=f"sqlite:///{tmp_path}/kills.sqlite3", REALMKEEP_DATA=str(tmp_path))
    assert told["database"] == "sqlite"
    assert told["audited"] == told["committed"] == told["counted"]


@pytest.mark.postgres
def test_au_01_after_25_kills_acknowledged_is_audited_on_postgresql():
    server = os.environ["TEST_POSTGRES_URL"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS kills WITH (FORCE)")
        tables = os.environ.get("TEST_TEMPLATE", "template1")
        admin.execute(sql.SQL("CREATE DATABASE kills TEMPLATE {}").format(sql.Identifier(tables)))
    parts = conninfo_to_dict(server)
    url = f"postgresql://{parts['user']}@{parts['host']}:{parts['port']}/kills"
    try:
        told = kill_writers(DATABASE_URL=url)
        assert told["database"] == "postgresql"
        assert told["audited"] == told["committed"] == told["counted"]
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS kills WITH (FORCE)")


@pytest.mark.postgres
def test_au_02_after_the_server_itself_is_killed_no_acknowledged_row_is_lost():
    result = subprocess.run(
        [sys.executable, "bin/kill_postmaster.py", "--kills", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if result.returncode == 77:
        pytest.skip("!!! SKIPPED: PostgreSQL's programs are not on this machine, so no server could be killed.")
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    told = json.loads(result.stdout)
    assert told["lost"] == 0
    assert told["acknowledged"] > 15
    assert told["audited"] == told["committed"] == told["counted"]
