#!/usr/bin/env python3
"""Kills PostgreSQL's server while processes write to it, starts it again, and counts what is left (AU-02).

A cluster of its own, durable as in production, is made for this and thrown away. Ends with 77 when PostgreSQL's
programs are not on this machine.

    bin/kill_postmaster.py --kills 3
"""

import argparse
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin")


def programs() -> Path | None:
    """Where initdb and pg_ctl are; of several versions the newest (Debian keeps them out of PATH)."""
    found = [each for pattern in FOLDERS for each in Path("/").glob(pattern) if (each / "initdb").exists()]
    if found:
        return max(found, key=lambda each: [int(part) for part in each.as_posix().split("/") if part.isdigit()])
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path and shutil.which("pg_ctl") else None


def owner() -> pwd.struct_passwd | None:
    """Who runs the server; None: whoever runs this. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3)
    kills = parser.parse_args().kills
    folder = programs()
    if folder is None:
        print("!!! PostgreSQL's programs (initdb, pg_ctl) are not on this machine.", file=sys.stderr)
        return 77
    scratch = Path(tempfile.mkdtemp(prefix="realmkeep-postmaster-"))
    runs_it = owner()
    as_owner: dict[str, Any] = {"cwd": "/", "env": os.environ | {"HOME": str(scratch)}}
    if runs_it is not None:
        os.chown(scratch, runs_it.pw_uid, runs_it.pw_gid)
        as_owner |= {"user": runs_it.pw_uid, "group": runs_it.pw_gid, "extra_groups": []}
    data, port = scratch / "data", free_port()
    start = [
        f"{folder}/pg_ctl", "-D", str(data), "-l", str(scratch / "log"), "-w", "-s",
        "-o", f"-h 127.0.0.1 -p {port} -k {scratch} -N 50", "start",
    ]  # fmt: skip
    again = start
    if runs_it is not None:
        ids = [f"--reuid={runs_it.pw_uid}", f"--regid={runs_it.pw_gid}", "--clear-groups"]
        again = ["env", "-C", "/", "setpriv", *ids, *start]
    try:
        made = [f"{folder}/initdb", "-D", str(data), "-U", "realmkeep", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, **as_owner)
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, **as_owner)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "REALMKEEP_", "DATABASE_", "REDIS_"))
        }
        command = [
            sys.executable, str(ROOT / "bin/kill_writers.py"), "--kills", str(kills),
            "--postmaster", str(data), "--start", shlex.join(again),
        ]  # fmt: skip
        url = f"postgresql://realmkeep@127.0.0.1:{port}/postgres"
        return subprocess.run(command, env=kept | {"DATABASE_URL": url}, cwd=ROOT, check=False).returncode
    finally:
        if (data / "postmaster.pid").exists():
            stop = [f"{folder}/pg_ctl", "-D", str(data), "-m", "immediate", "-s", "stop"]
            subprocess.run(stop, check=False, **as_owner)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
