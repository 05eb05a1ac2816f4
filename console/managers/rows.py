"""The people who manage one object, a row each, with a line for every permission."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.urls import reverse

from console.managers.wording import label_on
from identity.access.models import ObjectGrant
from identity.access.permission_sync import GRANTABLE
from identity.kernel.ids import public_id


@dataclass(frozen=True)
class ManagerRow:
    """One person, and what may be done here: (permission, words)."""

    person: str
    email: str
    url: str
    take_url: str
    lines: list[tuple[str, str]] = field(default_factory=list)


def rows_of(kind: str, grants: Iterable[ObjectGrant], take_url: Callable[[str], str]) -> list[ManagerRow]:
    """Grants of one object, in the order of the query, as rows."""
    rows: dict[object, ManagerRow] = {}
    for grant in grants:
        user_id = public_id("user", grant.user.pk)
        row = rows.setdefault(
            grant.user.pk,
            ManagerRow(
                grant.user.display_name,
                grant.user.email or grant.user.username or grant.user.phone or "",
                reverse("console:user", args=[user_id]),
                take_url(user_id),
            ),
        )
        row.lines.append((grant.permission.codename, label_on(kind, grant.permission.codename)))
    order = [str(permission) for permission in GRANTABLE[kind]]
    for row in rows.values():
        row.lines.sort(key=lambda line: order.index(line[0]))
    return list(rows.values())
