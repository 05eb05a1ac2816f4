"""Providers of text messages in a realm file."""

from functools import partial

from identity.courier.commands import change_sms_provider, create_sms_provider, reorder_sms_providers
from identity.courier.models import SmsProvider
from identity.courier.queries import find_sms_providers
from identity.realmfiles.commands.people import PeoplePass
from identity.realmfiles.commands.places import at_place
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import SmsProviderPart


class MessagesPass(PeoplePass):
    """Who carries text messages."""

    def sms_providers(self) -> None:
        """Those of the file, in its order; others that there are come behind."""
        if self.document.sms_providers is None:
            return
        known = {provider.name.lower(): provider for provider in find_sms_providers(self.actor)}
        named = [
            self.sms_provider(part, f"sms_providers[{at}]", known.get(part.name.lower()))
            for at, part in enumerate(self.document.sms_providers)
        ]
        rest = [provider.pk for provider in find_sms_providers(self.actor) if provider not in named]
        order = [*(provider.pk for provider in named), *rest]
        at_place("sms_providers", partial(reorder_sms_providers, self.actor, provider_ids=order))

    def sms_provider(self, part: SmsProviderPart, path: str, provider: SmsProvider | None) -> SmsProvider:
        """One of them."""
        secrets = {
            name: self.value(reference, f"{path}.secrets.{name}") for name, reference in (part.secrets or {}).items()
        }
        if provider is None:
            enabled = part.enabled is not False
            return at_place(
                path,
                partial(
                    create_sms_provider,
                    self.actor,
                    name=part.name,
                    kind=part.kind,
                    settings=part.settings or {},
                    secrets=secrets,
                    enabled=enabled,
                ),
            )
        if provider.kind != part.kind:
            raise RealmFileInvalid([(f"{path}.kind", "A provider's kind never changes: give it another name.")])
        return at_place(
            path,
            partial(
                change_sms_provider,
                self.actor,
                provider_id=provider.pk,
                settings=part.settings,
                secrets=secrets,
                enabled=part.enabled,
            ),
        )
