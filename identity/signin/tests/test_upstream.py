"""A tripwire: an upgrade of allauth that looks people up in new places has to be read before it is taken."""

import re
from pathlib import Path

import allauth.account

# Where allauth 65.21 looks across realms; each is overridden, unmounted, or asks for a person that we have found.
GLOBAL_LOOK_UPS = {
    "adapter.py": 3,
    "auth_backends.py": 2,
    "decorators.py": 1,
    "forms.py": 8,
    "internal/flows/email_verification.py": 6,
    "internal/flows/email_verification_by_code.py": 2,
    "internal/flows/manage_email.py": 7,
    "internal/flows/password_reset.py": 1,
    "internal/userkit.py": 2,
    "models.py": 4,
    "stages.py": 1,
    "utils.py": 8,
    "views.py": 5,
}


def look_ups() -> dict[str, int]:
    root = Path(allauth.account.__file__).parent
    found: dict[str, int] = {}
    for path in sorted(root.rglob("*.py")):
        name = str(path.relative_to(root))
        if name.startswith(("management", "migrations", "admin", "tests")):
            continue
        count = len(re.findall(r"filter_users_by_email|EmailAddress\.objects", path.read_text()))
        if count:
            found[name] = count
    return found


def test_allauth_looks_people_up_where_we_know_it_to() -> None:
    assert look_ups() == GLOBAL_LOOK_UPS
