"""Identity providers of a realm file."""

from collections.abc import Callable
from functools import partial
from typing import Any

from identity.kernel.errors import Invalid
from identity.realmfiles.commands.places import Pass, at_place
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import ProviderPart
from identity.realms.commands import (
    change_provider,
    create_provider,
    delete_provider,
    disable_provider,
    enable_provider,
    reorder_providers,
)
from identity.realms.models import IdentityProvider
from identity.realms.providers import secret_name


def _named(kind: str, act: Callable[[], IdentityProvider]) -> IdentityProvider:
    """The file has one name for what each kind calls its secret otherwise. Raises Invalid."""
    try:
        return act()
    except Invalid as error:
        if error.field == secret_name(kind):
            error.field = "secret"
        raise


class ProvidersPass(Pass):
    """Who else signs people in, in the order of the file."""

    def providers(self) -> None:
        """Make and change them; those that the file names come first."""
        parts = self.document.providers or []
        ids = [self.provider(part, f"providers[{at}]").pk for at, part in enumerate(parts)]
        if ids:
            at_place("providers", partial(reorder_providers, self.actor, provider_ids=ids))

    def provider(self, part: ProviderPart, path: str) -> IdentityProvider:
        """One of them. A secret is written if it differs or goes elsewhere: applied twice, a file changes nothing."""
        secret = self.value(part.secret, f"{path}.secret") if part.secret else ""
        row = IdentityProvider.objects.filter(alias=part.alias).first()
        if row is None:
            return self.new_provider(part, path, secret)
        if part.kind is not None and part.kind != row.kind:
            raise RealmFileInvalid([(f"{path}.kind", "The kind of a provider never changes.")])
        fields = part.model_dump(exclude={"alias", "kind", "secret", "enabled"}, exclude_none=True)
        change = partial(change_provider, self.actor, provider_id=row.pk, secret=secret, **fields)
        row = at_place(path, partial(_named, row.kind, change))
        if part.enabled is not None and part.enabled != row.enabled:
            switch = enable_provider if part.enabled else disable_provider
            row = at_place(path, partial(switch, self.actor, provider_id=row.pk))
        return row

    def new_provider(self, part: ProviderPart, path: str, secret: str) -> IdentityProvider:
        """Make one."""
        missing = [name for name in ("kind", "client_id") if getattr(part, name) is None]
        if missing:
            raise RealmFileInvalid([(f"{path}.{name}", "A new provider needs it.") for name in missing])
        fields: dict[str, Any] = part.model_dump(exclude={"secret"}, exclude_none=True)
        fields.setdefault("name", part.alias)
        create = partial(create_provider, self.actor, secret=secret, **fields)
        return at_place(path, partial(_named, str(fields["kind"]), create))

    def prune_providers(self) -> None:
        """Delete those that the file doesn't name, if it has the section."""
        if self.document.providers is None:
            return
        named = {part.alias for part in self.document.providers}
        for row in IdentityProvider.objects.exclude(alias__in=named):
            gone = partial(delete_provider, self.actor, provider_id=row.pk, typed_alias=row.alias)
            at_place("providers", gone)
