"""The scripts that every other one stands on: a Python is found wherever it is, results are added up."""

import shutil
import subprocess
import sys
from pathlib import Path

from bin.count_results import count

BIN = Path(__file__).parent.parent


def find_python(path, **environment):
    # Only the basic tools and what the test puts there: this machine's own Pythons are out of sight.
    return subprocess.run(
        [str(BIN / "find-python")],
        env={"PATH": f"{path}:{tools(path)}", "HOME": str(path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def tools(path):
    """A folder with what the script itself calls, and no Python."""
    folder = path / "tools"
    folder.mkdir()
    for name in ("bash", "env", "dirname", "ls", "sort", "sed", "cat", "touch"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def put_python(file, *, works=True):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n' if works else "#!/bin/sh\nexit 1\n")
    file.chmod(0o755)


def test_python_is_found_in_the_path_under_its_versioned_name(tmp_path):
    put_python(tmp_path / "python3", works=False)
    put_python(tmp_path / "python3.12")

    assert find_python(tmp_path).stdout.strip() == sys.executable


def test_python_is_found_among_the_versions_of_pyenv(tmp_path):
    put_python(tmp_path / "python3", works=False)
    put_python(tmp_path / ".pyenv/versions/3.9.1/bin/python3", works=False)
    put_python(tmp_path / ".pyenv/versions/3.13.0/bin/python3")

    assert find_python(tmp_path).stdout.strip() == sys.executable


def test_python_is_found_where_pyenv_was_put_elsewhere(tmp_path):
    put_python(tmp_path / "elsewhere/versions/3.13.0/bin/python3")

    assert find_python(tmp_path, PYENV_ROOT=str(tmp_path / "elsewhere")).stdout.strip() == sys.executable


def test_python_is_asked_of_uv_first(tmp_path):
    put_python(tmp_path / "uvs/python3")
    (tmp_path / "uv").write_text(f"#!/bin/sh\necho {tmp_path}/uvs/python3\n")
    (tmp_path / "uv").chmod(0o755)

    assert find_python(tmp_path).stdout.strip() == sys.executable


def test_without_a_python_uv_fetches_one(tmp_path):
    put_python(tmp_path / "fetched/python3")
    (tmp_path / "uv").write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"  'python install 3.13') touch {tmp_path}/asked ;;\n"
        f"  'python find 3.13') test -e {tmp_path}/asked && echo {tmp_path}/fetched/python3 ;;\n"
        "  *) exit 1 ;;\n"
        "esac\n"
    )
    (tmp_path / "uv").chmod(0o755)

    result = find_python(tmp_path)

    assert result.stdout.strip() == sys.executable
    assert "asking uv to fetch one" in result.stderr


def test_results_are_added_up(tmp_path):
    (tmp_path / "lint").write_text("14 1 1\n")
    (tmp_path / "unit.xml").write_text(
        '<testsuites><testsuite tests="10" failures="1" errors="1" skipped="2"></testsuite></testsuites>'
    )

    assert count(tmp_path, "lint") == (14, 1, 1)
    assert count(tmp_path, "unit") == (6, 2, 2)
    assert count(tmp_path, "browser") == (0, 0, 0)


def test_the_lock_agrees_with_what_was_asked_for():
    result = subprocess.run([str(BIN / "lock"), "--check"], capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")
