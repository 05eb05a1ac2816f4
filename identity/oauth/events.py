"""What happens to codes, tokens and signing keys. Frequent events stay out of the live feed, never out of the trail."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event


@event("token.issued", target="application", sentence=_("{actor} got tokens"), feed=False)
class TokenIssued(Event):
    """A code was redeemed, or an application got a token for itself."""

    name: str = ""
    grant_type: str = ""
    scope: str = ""
    jti: UUID | None = None
    user_id: UUID | None = None
    family_id: UUID | None = None


@event("token.refreshed", target="application", sentence=_("{actor} refreshed its tokens"), feed=False)
class TokenRefreshed(Event):
    """A refresh token was rotated."""

    name: str = ""
    scope: str = ""
    jti: UUID | None = None
    user_id: UUID | None = None
    family_id: UUID | None = None
    generation: int = 0


@event("token.revoked", target="application", sentence=_("{actor} gave back its tokens"))
class TokenRevoked(Event):
    """A client revoked a token (RFC 7009); its whole family went with it."""

    name: str = ""
    token_type: str = ""
    jti: UUID | None = None
    user_id: UUID | None = None
    family_id: UUID | None = None


@event(
    "code.replayed",
    target="user",
    sentence=_("{actor} used a sign-in code of {target} a second time; what the first use gave was revoked"),
    severity=Severity.HIGH,
)
class CodeReplayed(Event):
    """A code came twice: somebody may have stolen it (RFC 9700, 4.5)."""

    application_id: UUID | None = None
    name: str = ""
    family_id: UUID | None = None


@event(
    "refresh.reused",
    target="user",
    sentence=_("{actor} used an old refresh token of {target}; the whole family was revoked"),
    severity=Severity.HIGH,
)
class RefreshReused(Event):
    """A refresh token came again after its rotation: one of two holders is a thief (RFC 9700, 4.14.2)."""

    application_id: UUID | None = None
    name: str = ""
    family_id: UUID | None = None
    generation: int = 0


@event("family.revoked", target="user", sentence=_("{actor} ended the access of {name} for {target}"))
class FamilyRevoked(Event):
    """All refresh tokens of one authorization stopped at once."""

    application_id: UUID | None = None
    name: str = ""
    family_id: UUID | None = None
    reason: str = ""


@event("key.created", target="key", sentence=_("{actor} created the signing key {kid}"))
class KeyCreated(Event):
    """A signing key exists and is published; it does not sign before it is active."""

    kid: str = ""
    alg: str = ""
    status: str = ""


@event(
    "key.rotated",
    target="key",
    sentence=_("{actor} rotated the signing key: {kid} signs from now on"),
    severity=Severity.MEDIUM,
)
class KeyRotated(Event):
    """Another key signs; the former one stays published until what it signed has expired, unless it was withdrawn."""

    kid: str = ""
    alg: str = ""
    former_kid: str = ""
    withdrawn: bool = False


@event(
    "key.exported",
    target="key",
    sentence=_("{actor} exported the signing key {kid}, sealed with a passphrase"),
    severity=Severity.HIGH,
)
class KeyExported(Event):
    """A private key left the installation inside a realm file with secrets."""

    kid: str = ""
    alg: str = ""


@event("key.retired", target="key", sentence=_("The signing key {kid} is no longer published"))
class KeyRetired(Event):
    """Nothing that this key signed is valid any more."""

    kid: str = ""
    alg: str = ""
