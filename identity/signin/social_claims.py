"""What another's claims mean here: who it is, what becomes of the profile, which factors count. Pure decisions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from identity.accounts.rules import normalized_email
from identity.kernel.errors import Invalid
from identity.realms.models import ProviderKind
from identity.realms.providers import ATTRIBUTE, mapping_of, trusts_email

MOST = {"name": 200, "given_name": 100, "family_name": 100, "email": 254, "username": 150}
LONGEST = 500
MAX_SUBJECT = 190


@dataclass(frozen=True, slots=True)
class Upstream:
    """Somebody as a provider vouches for him. `subject` alone says who it is; the rest is only what is known of him.

    amr: methods of ours that the provider's word counts for. email_verified: the provider proved it and is trusted to.
    """

    subject: str
    email: str = ""
    email_verified: bool = False
    profile: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    amr: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What a person recognizes the other account by."""
        return self.email or self.profile.get("username", "") or self.profile.get("name", "") or self.subject

    def kept(self) -> dict[str, Any]:
        """As a session keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Upstream":
        """Back from there."""
        return cls(**{**kept, "amr": tuple(kept.get("amr", ()))})


def vouched_address(upstream: Upstream) -> str:
    """The address that the provider proved, in the one spelling; empty when it proved none."""
    try:
        return normalized_email(upstream.email) if upstream.email_verified else ""
    except Invalid:
        return ""


def value_at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this name, or the one that its dotted parts lead to; None if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def text_of(value: Any, most: int = LONGEST) -> str:
    """A value as one line of text; nothing for what isn't one, or is longer than anybody's."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    line = " ".join(str(value).split())
    return line if line.isprintable() and len(line) <= most else ""


def subject_of(kind: str, settings: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Who it is, for good: never an address, never a name (OA-28). Empty when nothing says it."""
    match kind:
        case ProviderKind.GITHUB:
            subject = text_of(claims.get("id"))
        case ProviderKind.OAUTH2:
            subject = text_of(value_at(claims, settings["subject_claim"]))
        case ProviderKind.MICROSOFT:
            # One application serves many tenants, and each tenant's subjects are its own.
            subject = f"{text_of(claims.get('tid'))}:{text_of(claims.get('sub'))}"
        case _:
            subject = text_of(claims.get("sub"))
    return subject if len(subject) <= MAX_SUBJECT else ""


def is_verified(value: Any) -> bool:
    """Whether a claim says yes: true, or the text that Apple writes. Anything else is a no."""
    return value is True or value == "true"


def upstream_of(
    kind: str,
    settings: Mapping[str, Any],
    mapping: Mapping[str, str],
    amr_mapping: Mapping[str, str],
    *,
    claims: Mapping[str, Any],
    proven: Mapping[str, Any],
) -> Upstream:
    """claims: all that is known; proven: those of the signed ID token, which alone say how somebody came in (OA-29)."""
    wanted = mapping_of(kind, mapping)
    profile: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    for ours, theirs in wanted.items():
        value = value_at(claims, theirs)
        if ours.startswith(ATTRIBUTE):
            if isinstance(value, bool | int | float) or text_of(value):
                attributes[ours.removeprefix(ATTRIBUTE)] = (
                    value if isinstance(value, bool | int | float) else text_of(value)
                )
        elif text := text_of(value, MOST.get(ours, LONGEST)):
            profile[ours] = text
    email = profile.pop("email", "")
    standard = wanted.get("email") == "email"
    return Upstream(
        subject=subject_of(kind, settings, claims),
        email=email,
        email_verified=bool(email)
        and standard
        and trusts_email(kind, settings)
        and is_verified(claims.get("email_verified")),
        profile=profile,
        attributes=attributes,
        amr=tuple(methods_of(amr_mapping, proven)),
    )


def methods_of(mapping: Mapping[str, str], proven: Mapping[str, Any]) -> list[str]:
    """Our methods for what the provider's signed word says of factors; nothing that isn't mapped counts (OA-29)."""
    said = proven.get("amr")
    words = [word for word in said if isinstance(word, str)] if isinstance(said, list) else []
    if isinstance(proven.get("acr"), str):
        words.append(proven["acr"])
    return list(dict.fromkeys(mapping[word] for word in words if word in mapping))


def apple_name(posted: str) -> dict[str, str]:
    """The name that Apple posts beside the code, once, unsigned: good for a profile and for nothing else."""
    try:
        name = json.loads(posted[:2000]).get("name") if posted else None
    except (ValueError, AttributeError):
        return {}
    if not isinstance(name, Mapping):
        return {}
    given, family = text_of(name.get("firstName"), 100), text_of(name.get("lastName"), 100)
    found = {"given_name": given, "family_name": family, "name": " ".join(filter(None, [given, family]))}
    return {key: value for key, value in found.items() if value}


def primary_address(addresses: Sequence[Any]) -> dict[str, Any]:
    """GitHub's list of addresses → the primary one, and whether it was proven."""
    for each in addresses:
        if isinstance(each, Mapping) and each.get("primary") is True and isinstance(each.get("email"), str):
            return {"email": each["email"], "email_verified": each.get("verified") is True}
    return {}
