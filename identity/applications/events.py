"""What happens to applications, their secrets, scopes and resource servers."""

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event


@event("application.registered", target="application", sentence=_("{actor} registered the application {name}"))
class ApplicationRegistered(Event):
    """A new client of the realm."""

    name: str = ""
    client_id: str = ""
    application_type: str = ""


@event(
    "application.redirect_uris_changed",
    target="application",
    sentence=_("{actor} changed the redirect URIs of {name}"),
    severity=Severity.MEDIUM,
)
class ApplicationRedirectUrisChanged(Event):
    """Where codes may be sent: a favorite of attackers, so an event of its own."""

    name: str = ""


@event(
    "application.grants_changed",
    target="application",
    sentence=_("{actor} changed what {name} may ask for"),
    severity=Severity.MEDIUM,
)
class ApplicationGrantsChanged(Event):
    """Grant types, scopes, client authentication or consent rules changed."""

    name: str = ""


@event("application.details_changed", target="application", sentence=_("{actor} changed the details of {name}"))
class ApplicationDetailsChanged(Event):
    """Name, description, publisher or links changed."""

    name: str = ""


@event(
    "application.disabled",
    target="application",
    sentence=_("{actor} disabled the application {name}"),
    severity=Severity.MEDIUM,
)
class ApplicationDisabled(Event):
    """Its tokens, codes and sign-ins are refused from now on."""

    name: str = ""


@event(
    "application.acts_for_changed",
    target="application",
    sentence=_("{actor} changed which API {name} acts for"),
    severity=Severity.MEDIUM,
)
class ApplicationActsForChanged(Event):
    """It may introspect the tokens that are for another API, or for none."""

    name: str = ""


@event("application.enabled", target="application", sentence=_("{actor} enabled the application {name}"))
class ApplicationEnabled(Event):
    """A disabled application works again."""

    name: str = ""


@event(
    "application.deleted",
    target="application",
    sentence=_("{actor} deleted the application {name}"),
    severity=Severity.HIGH,
)
class ApplicationDeleted(Event):
    """It is gone for everybody; the row stays for what refers to it."""

    name: str = ""
    client_id: str = ""


@event(
    "secret.added",
    target="application",
    sentence=_("{actor} added a client secret to {name}"),
    severity=Severity.MEDIUM,
)
class SecretAdded(Event):
    """A new secret works beside the old one; only its last characters are known afterwards."""

    name: str = ""
    hint: str = ""


@event(
    "secret.revoked",
    target="application",
    sentence=_("{actor} revoked the client secret ending {hint} of {name}"),
    severity=Severity.MEDIUM,
)
class SecretRevoked(Event):
    """A secret stopped working at once."""

    name: str = ""
    hint: str = ""


@event("scope.created", target="scope", sentence=_("{actor} created the scope {name}"))
class ScopeCreated(Event):
    """A new scope value."""

    name: str = ""


@event("scope.changed", target="scope", sentence=_("{actor} changed the scope {name}"))
class ScopeChanged(Event):
    """Title, description or sensitivity of a scope changed."""

    name: str = ""


@event("scope.deleted", target="scope", sentence=_("{actor} deleted the scope {name}"), severity=Severity.MEDIUM)
class ScopeDeleted(Event):
    """Nobody can ask for it any more."""

    name: str = ""


@event("resource_server.created", target="resource_server", sentence=_("{actor} added the API {name}"))
class ResourceServerCreated(Event):
    """An API that accepts the realm's tokens."""

    name: str = ""
    identifier: str = ""


@event("resource_server.changed", target="resource_server", sentence=_("{actor} changed the API {name}"))
class ResourceServerChanged(Event):
    """Its name changed."""

    name: str = ""


@event(
    "resource_server.deleted",
    target="resource_server",
    sentence=_("{actor} removed the API {name}"),
    severity=Severity.MEDIUM,
)
class ResourceServerDeleted(Event):
    """The API and its scopes are gone."""

    name: str = ""
