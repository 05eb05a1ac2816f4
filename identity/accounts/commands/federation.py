"""Accounts of people whom an identity provider vouches for."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from identity.accounts import attribute_rules, rules, sign_up_rules
from identity.accounts.commands.creation import LANGUAGES, insert_user, joining_fields, profile_fields
from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import Attribute, User
from identity.accounts.queries import attributes_at_sign_up, country_of_realm
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid


def sign_up_federated_user(
    actor: Actor,
    *,
    email: str = "",
    phone: str = "",
    username: str = "",
    email_verified: bool = False,
    phone_verified: bool = False,
    profile: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
    typed: Mapping[str, Any] | None = None,
    terms_version: str = "",
    pending: bool = False,
) -> User:
    """An account without a password for somebody who came in through a provider that may make accounts.

    The realm's sign-up policy stands over the provider's word: what is asked of everybody is asked here (identifiers,
    required attributes, terms, lists of domains, approval). What the provider says of the profile and of attributes
    is taken where it fits and left out where it doesn't. typed: attributes that the person was asked for. pending: it
    waits for an admin's approval in any case. Raises Invalid (the field that is missing or refused). Says user.created.
    """
    now = clock.now()
    policy = sign_up_rules.policy_of(realm_of(actor))
    asked = sign_up_rules.asked_identifiers(policy, email=email, phone=phone, username=username)
    address = rules.normalized_email(email) if email else None
    if address:
        sign_up_rules.check_domain(policy, address)
    sign_up_rules.check_terms(policy, terms_version)
    by_phone, by_name = asked.get(rules.Identifier.PHONE), asked.get(rules.Identifier.USERNAME)
    said = {**fitting_attributes(attributes or {}), **(typed or {})}
    fields: dict[str, Any] = {
        "email": address,
        "phone": rules.normalized_phone(by_phone, country_of_realm()) if by_phone else None,
        "username": rules.normalized_username(by_name) if by_name else free_username(profile or {}),
        "email_verified_at": now if email_verified and address else None,
        "phone_verified_at": now if phone_verified and by_phone else None,
        "attributes": {**said, **attribute_rules.checked_values(attributes_at_sign_up(), said)},
        **_profile(profile or {}),
        **joining_fields(policy, approval=pending),
    }
    with transaction.atomic():
        return insert_user(actor, fields=fields, encoded=None, how="provider")


def _profile(said: Mapping[str, str]) -> dict[str, Any]:
    """The fields that pass our own rules. Another's odd spelling of a name must keep nobody out."""
    empty: dict[str, Any] = {"name": "", "given_name": "", "family_name": "", "language": None, "time_zone": None}
    wanted = {**empty, **{name: said[name] for name in empty if said.get(name)}}
    if not wanted["name"]:
        wanted["name"] = " ".join(filter(None, [wanted["given_name"], wanted["family_name"]]))
    language = wanted["language"]
    if language and language not in LANGUAGES:
        # "de-AT", "en_US": the page speaks the language, if not the country's.
        wanted["language"] = language.replace("_", "-").partition("-")[0].lower()
    fine = dict(empty)
    for name, value in wanted.items():
        try:
            fine[name] = profile_fields(**{**empty, name: value})[name]
        except Invalid:
            continue
    return fine


def free_username(said: Mapping[str, str]) -> str | None:
    """The mapped username if it is one and nobody has it: a name is no proof of anything."""
    if not said.get("username"):
        return None
    try:
        name = rules.normalized_username(said["username"])
    except Invalid:
        return None
    return None if User.objects.filter(username__iexact=name).exists() else name


def fitting_attributes(said: Mapping[str, Any]) -> dict[str, Any]:
    """What fits an attribute that the realm has, by the same rules as what people type; the rest is left out."""
    return attribute_rules.fitting_values(Attribute.objects.filter(name__in=list(said)), said)
