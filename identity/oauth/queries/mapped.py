"""Which custom attributes become claims: a part of the queries that tokens and userinfo are made from."""

from collections.abc import Collection

import orjson

from identity.accounts.queries import mapped_attributes
from identity.applications.models import Application
from identity.consent.models import Consent
from identity.oauth.claims import Mapped

# Both databases make the same JSON text of it: [["tier", "customer_tier", "profile"], …]; nothing where none is mapped.
_AS_JSON = {
    "postgresql": "(SELECT json_agg(json_build_array(att.name, att.claim, att.scope) ORDER BY att.name)::text",
    "sqlite": "(SELECT json_group_array(json_array(att.name, att.claim, att.scope))",
}
_FROM = " FROM identity_attribute att WHERE att.realm_id = %(realm)s AND att.claim <> '')"


def mapped_column(vendor: str) -> str:
    """A column for a statement with the parameter `realm`."""
    return _AS_JSON[vendor] + _FROM


def read_mapped(text: str | None) -> tuple[Mapped, ...]:
    """What the column holds."""
    return tuple(Mapped(*each) for each in orjson.loads(text)) if text else ()


def told_by(consent: Consent | None, application: Application) -> Collection[str] | None:
    """The custom attributes that the person was asked about; None where the application asks nobody."""
    if application.skip_consent and application.first_party:
        return None
    return (consent.attributes if consent is not None else None) or ()


def mapped_now() -> list[Mapped]:
    """The same, asked by itself."""
    return [Mapped(each.name, each.claim, each.scope) for each in mapped_attributes()]
