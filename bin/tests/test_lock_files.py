"""SC-01: nothing is installed that the lock files do not name with its hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(path for path in (ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_sc_01_every_package_is_pinned_and_has_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text().replace("\\\n", " "), flags=re.IGNORECASE)
    packages = [entry for entry in entries if entry.strip() and not entry.startswith("#")]
    assert packages
    for entry in packages:
        assert re.match(r"[\w.\[\],-]+==[\w.!+]+\s", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_sc_01_installers_insist_on_hashes() -> None:
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        assert "pip install" not in line or "--require-hashes" in line, line
    setup = (ROOT / "bin/setup").read_text()
    (install,) = re.findall(r"^install\(\).*", setup, flags=re.MULTILINE)
    assert "--require-hashes" in install
    # Every call of an installer goes through that function.
    assert all(
        "install uv pip" in line or "pip=(" in line for line in setup.splitlines() if re.search("pip .*install", line)
    )
