"""Pure decisions about realm files: reading YAML, naming places in it, and telling two states apart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from django.utils.translation import gettext as _
from pydantic import ValidationError

from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import RealmFile

MAX_BYTES = 20 * 1024 * 1024
KEYS = ("key", "alias", "client_id", "identifier", "kid", "slug", "user")


class _Loader(yaml.SafeLoader):
    """Plain YAML: no objects, and no key twice in one mapping (the later one would silently win)."""


def _place(line: int) -> str:
    return _("line %(number)s") % {"number": line + 1}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _value in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise RealmFileInvalid(
                [(_place(key_node.start_mark.line), _("%(name)s stands here twice.") % {"name": key})]
            )
        seen.add(key)
    return dict(loader.construct_mapping(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse(text: str) -> RealmFile:
    """The file's content. Raises RealmFileInvalid with the path of each problem."""
    if len(text.encode()) > MAX_BYTES:
        raise RealmFileInvalid([("file", _("It is larger than 20 MiB."))])
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader of ours
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = _place(mark.line) if mark else "file"
        raise RealmFileInvalid([(place, str(getattr(error, "problem", None) or _("It is not YAML.")))]) from error
    if not isinstance(data, dict):
        raise RealmFileInvalid([("file", _("It holds no realm."))])
    try:
        document = RealmFile.model_validate(data)
    except ValidationError as error:
        raise RealmFileInvalid([(path_of(p["loc"]), p["msg"]) for p in error.errors()]) from error
    if problems := list(_inconsistencies(document)):
        raise RealmFileInvalid(problems)
    return document


def path_of(location: Sequence[int | str]) -> str:
    """`applications[2].redirect_uris` for ("applications", 2, "redirect_uris")."""
    out = ""
    for step in location:
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else str(step)
    return out or "file"


def _inconsistencies(document: RealmFile) -> Iterator[tuple[str, str]]:
    for section, key in (
        ("applications", "client_id"),
        ("resource_servers", "identifier"),
        ("scopes", "name"),
        ("providers", "alias"),
    ):
        yield from _twice(section, [getattr(part, key) for part in getattr(document, section) or []])
    yield from _twice("roles", [(r.kind, r.application, r.name.lower()) for r in document.roles or []])
    yield from _twice("sms_providers", [provider.name.lower() for provider in document.sms_providers or []])
    yield from _twice("users", [user.match for user in document.users or []])
    yield from _twice("organizations", [organization.slug for organization in document.organizations or []])
    for at, user in enumerate(document.users or []):
        if not (user.email or user.username or user.phone):
            yield f"users[{at}]", _("Give an email, username or phone.")
        if user.password and user.password_hash:
            yield f"users[{at}].password_hash", _("Give a password or its hash, not both.")
    for at, role in enumerate(document.roles or []):
        if role.kind == "console" and role.application:
            yield f"roles[{at}].application", _("A console role belongs to no application.")
        if role.kind == "application" and role.permissions:
            yield f"roles[{at}].permissions", _("Only console roles hold permissions.")


def _twice(section: str, values: Sequence[object]) -> Iterator[tuple[str, str]]:
    seen: set[object] = set()
    for at, value in enumerate(values):
        if value in seen:
            yield f"{section}[{at}]", _("It stands in this file twice.")
        seen.add(value)


def _name_of(item: Mapping[str, Any]) -> str:
    for key in KEYS:
        if item.get(key):
            return str(item[key])
    parts = [item.get("kind"), item.get("application"), item.get("name")]
    return " ".join(str(part) for part in parts if part)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed between two exports of a realm, a line each: + new, - gone, ~ changed."""
    return list(_compare("", before, after))


def _compare(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _compare(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
        return
    old, new = _named(before), _named(after)
    if old is not None and new is not None:
        for name in dict.fromkeys([*old, *new]):
            place = f"{path}[{name}]"
            if name not in old:
                yield f"+ {place}"
            elif name not in new:
                yield f"- {place}"
            else:
                yield from _compare(place, old[name], new[name])
        # Lists without an order of their own are exported sorted: what stays changes places in the others alone.
        was, now = ([name for name in names if name in old and name in new] for names in (old, new))
        if was != now:
            yield f"~ {path}: {', '.join(was)} → {', '.join(now)}"
        return
    if before is None:
        yield f"+ {path}: {after}"
    elif after is None:
        yield f"- {path}: {before}"
    else:
        yield f"~ {path}: {before} → {after}"


def _named(value: Any) -> dict[str, Any] | None:
    """A list of named things as a mapping; None for plain values."""
    if value is None:
        return {}
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return {_name_of(item): item for item in value}
    return None


def as_yaml(data: Mapping[str, Any]) -> str:
    """A realm as the text of a file, keys in the schema's order."""
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=110)
