"""One place in a realm file: doing something for it, with refusals that name it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from identity.applications.models import Application
from identity.applications.queries import get_application_by_client_id
from identity.kernel.actor import Actor
from identity.kernel.errors import RealmkeepError
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import (
    EnvReference,
    RealmFile,
)

Environment = Mapping[str, str]


def at_place[T](path: str, act: Callable[[], T]) -> T:
    """Do something for one place in the file; a refusal names that place and the field in it."""
    try:
        return act()
    except RealmFileInvalid:
        raise
    except RealmkeepError as error:
        where = f"{path}.{error.field}" if error.field else path
        raise RealmFileInvalid([(where, str(error.message))]) from error


@dataclass
class Pass:
    """One pass over a file, inside its realm."""

    actor: Actor
    document: RealmFile
    environment: Environment
    prune: bool
    secrets: dict[str, str] = field(default_factory=dict)

    def value(self, reference: EnvReference, path: str) -> str:
        """The variable's value. Raises RealmFileInvalid when it is not set."""
        value = self.environment.get(reference.env, "")
        if not value:
            raise RealmFileInvalid(
                [(f"{path}.env", _("The environment variable %(name)s is not set.") % {"name": reference.env})]
            )
        return value

    def application(self, client_id: str | None, path: str) -> Application | None:
        """The application that a part refers to. Raises RealmFileInvalid."""
        if client_id is None:
            return None
        application = get_application_by_client_id(client_id)
        if application is None:
            raise RealmFileInvalid([(path, _("There is no application %(name)s.") % {"name": client_id})])
        return application
