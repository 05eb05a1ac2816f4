"""Pure decisions of sign-up: what is asked for, whose addresses may come, which terms count, and what proves first."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from identity.accounts.rules import Identifier
from identity.kernel.context import RealmLike
from identity.kernel.errors import Invalid

REFUSED_DOMAIN = "domain_blocked"


@dataclass(frozen=True, slots=True)
class SignUpPolicy:
    """What a realm says of accounts that people make for themselves."""

    is_open: bool
    identifiers: frozenset[str]
    approval: bool
    domains_allowed: tuple[str, ...]
    domains_blocked: tuple[str, ...]
    terms_uri: str
    terms_version: str
    with_password: bool
    with_passkey: bool

    def asks(self, kind: str) -> bool:
        """Whether an account can't be made without this identifier."""
        return kind in self.identifiers

    @property
    def provable(self) -> bool:
        """Whether something is asked for that a code can be sent to: without it a passkey has no way back."""
        return self.asks(Identifier.EMAIL) or self.asks(Identifier.PHONE)

    def proves_first(self, *, passkey: bool) -> Identifier | None:
        """What has to be proven by a code before the account is made; None: it is made at once.

        A number always: nobody takes another's number by typing it, and no message is paid for twice. An address, when
        there will be no password: else its owner would confirm an account that somebody else's passkey opens.
        """
        if self.asks(Identifier.PHONE):
            return Identifier.PHONE
        if self.asks(Identifier.EMAIL) and (passkey or not self.with_password):
            return Identifier.EMAIL
        return None


def policy_of(realm: RealmLike) -> SignUpPolicy:
    """The realm's policy in force."""
    return SignUpPolicy(
        is_open=bool(realm.setting("sign_up_open")),
        identifiers=frozenset(realm.setting("sign_up_identifiers")),
        approval=bool(realm.setting("sign_up_approval")),
        domains_allowed=tuple(realm.setting("sign_up_domains_allowed")),
        domains_blocked=tuple(realm.setting("sign_up_domains_blocked")),
        terms_uri=str(realm.setting("terms_uri")),
        terms_version=str(realm.setting("terms_version")),
        with_password=bool(realm.setting("password_sign_in")),
        with_passkey=bool(realm.setting("passkey_sign_in")),
    )


def is_of_domain(address: str, domains: Collection[str]) -> bool:
    """Whether a normalized address lies in one of these domains or below it.

    Both are ASCII and lower case by now (rules.normalized_email; realms.rules for the lists): no other script or case
    of a letter gets around a list (LG-25). `evil-acme.example` is not below `acme.example`.
    """
    domain = address.rpartition("@")[2]
    return any(domain == each or domain.endswith(f".{each}") for each in domains)


def check_domain(policy: SignUpPolicy, address: str) -> None:
    """Raises Invalid (field email) for an address that the realm makes no accounts for.

    What is blocked stays blocked below an allowed domain. It says nothing of accounts: the lists come first (LG-23).
    """
    if is_of_domain(address, policy.domains_blocked):
        raise Invalid(
            _("Accounts with this kind of address aren’t made here. Use another address."),
            field="email",
            code=REFUSED_DOMAIN,
        )
    if policy.domains_allowed and not is_of_domain(address, policy.domains_allowed):
        raise Invalid(
            _("Accounts are made here for addresses of certain organizations only. Use the one you have there."),
            field="email",
            code=REFUSED_DOMAIN,
        )


def check_terms(policy: SignUpPolicy, accepted: str) -> None:
    """Raises Invalid (field terms) unless the terms in force were accepted."""
    if terms_due(policy.terms_version, accepted):
        raise Invalid(_("The terms have to be accepted first."), field="terms", code="terms")


def terms_due(in_force: str, accepted: str) -> bool:
    """Whether somebody still has to accept the terms: there are some, and not those that he accepted last."""
    return bool(in_force) and in_force != accepted


def asked_identifiers(policy: SignUpPolicy, *, email: str, phone: str, username: str) -> dict[Identifier, str]:
    """What is asked for, as it was typed; anything else is dropped (LG-10). Raises Invalid for an empty one."""
    given = {Identifier.EMAIL: email, Identifier.PHONE: phone, Identifier.USERNAME: username}
    missing = {
        Identifier.EMAIL: _("Type your email address."),
        Identifier.PHONE: _("Type your phone number."),
        Identifier.USERNAME: _("Choose a username."),
    }
    out: dict[Identifier, str] = {}
    for kind, text in given.items():
        if not policy.asks(kind):
            continue
        if not text.strip():
            raise Invalid(missing[kind], field=str(kind), code=f"{kind}_missing")
        out[kind] = text
    return out
