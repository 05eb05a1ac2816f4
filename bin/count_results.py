"""Adds up what the phases of bin/test left behind: pytest's XML files, and bin/lint's line of counts."""

import sys
from pathlib import Path
from xml.etree import ElementTree


def count(folder: Path, phase: str) -> tuple[int, int, int]:
    """Passed, failed and skipped. A phase that left nothing behind was skipped, or fell before it could count."""
    lint = folder / "lint"
    if phase == "lint" and lint.exists():
        passed, failed, skipped = map(int, lint.read_text().split())
        return passed, failed, skipped
    report = folder / f"{phase}.xml"
    if not report.exists():
        return 0, 0, 0
    passed = failed = skipped = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 - pytest wrote it just now
        of = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        failed += of["failures"] + of["errors"]
        skipped += of["skipped"]
        passed += of["tests"] - of["failures"] - of["errors"] - of["skipped"]
    return passed, failed, skipped


def main(folder: str, *phases: str) -> None:
    """Print the sum as the one line that CI reads."""
    passed, failed, skipped = (sum(each) for each in zip(*(count(Path(folder), p) for p in phases), strict=True))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")


if __name__ == "__main__":
    main(*sys.argv[1:])
