"""Reads of consents."""

from uuid import UUID

from django.db.models import Q, QuerySet

from identity.consent.models import Consent
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission


def consent_in_force(user_id: UUID, application_id: UUID) -> Consent | None:
    """What this person allows this application now. For the protocol, which asks at each use."""
    return Consent.objects.filter(user_id=user_id, application_id=application_id, withdrawn_at=None).first()


def find_consents(
    actor: Actor,
    *,
    user_id: UUID | None = None,
    application_id: UUID | None = None,
    search: str = "",
    withdrawn: bool = False,
) -> QuerySet[Consent]:
    """Consents in force (or withdrawn ones), newest first, with person and application. Raises PermissionDenied.

    Who may read the consents of some applications only sees those.
    """
    rows = Consent.objects.select_related("user", "application").order_by("-id")
    allowed = actor.scopes_of(Permission.CONSENTS_READ, "application")
    if allowed is not None:
        if not allowed:
            actor.require(Permission.CONSENTS_READ)
        rows = rows.filter(application_id__in=allowed)
    rows = rows.filter(withdrawn_at__isnull=not withdrawn)
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if application_id is not None:
        rows = rows.filter(application_id=application_id)
    if search:
        rows = rows.filter(
            Q(application__name__icontains=search)
            | Q(user__name__icontains=search)
            | Q(user__email__istartswith=search)
        )
    return rows


def get_consent(actor: Actor, *, consent_id: UUID) -> Consent:
    """One consent: one's own, or with the permission to read consents. Raises NotFound."""
    consent = Consent.objects.select_related("user", "application").filter(pk=consent_id).first()
    if consent is None or not (
        is_own(actor, consent) or actor.can(Permission.CONSENTS_READ, ("application", consent.application_id))
    ):
        raise NotFound
    return consent


def is_own(actor: Actor, consent: Consent) -> bool:
    """Whether the person acts on a consent that he gave himself, in his own realm."""
    return actor.is_person and actor.id == consent.user_id and actor.home_realm_id == consent.realm_id


def own_consents(actor: Actor) -> QuerySet[Consent]:
    """What the acting person allows, newest first, with the applications."""
    rows = Consent.objects.select_related("application").order_by("-id")
    if actor.id is None or actor.home_realm_id is None:
        return rows.none()
    return rows.filter(user_id=actor.id, withdrawn_at=None, realm_id=actor.home_realm_id)


def people_of(application_id: UUID) -> int:
    """How many people allow this application something now."""
    return Consent.objects.filter(application_id=application_id, withdrawn_at=None).count()


def consents_of(user_id: UUID) -> int:
    """How many applications this person allows something now."""
    return Consent.objects.filter(user_id=user_id, withdrawn_at=None).count()
