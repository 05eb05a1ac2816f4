"""Writes of consents: a person decides, and a person or an admin takes it back."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.apps import apps
from django.db import transaction

from identity.accounts.models import User
from identity.accounts.queries import mapped_attributes
from identity.applications.models import Application, ApplicationStatus
from identity.audit.record import record
from identity.consent import events, rules
from identity.consent.models import Consent
from identity.consent.queries import is_own
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.kernel.events import changes_of
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write


@transaction.atomic
def grant_consent(
    actor: Actor,
    *,
    application_id: UUID,
    scopes: Collection[str],
    asked: Collection[str] = (),
    offline: bool = False,
    offline_until: datetime | None = None,
    shown: Collection[tuple[str, str]] | None = None,
) -> Consent:
    """The acting person lets an application use `scopes`.

    With a scope goes what it releases now, and no attribute that an admin adds to it later. shown: the attributes that
    the page told of, each with its scope; None: all that there are now. Stops one that was mapped while the page stood
    open from being released unseen. asked: what the page showed; of that, only `scopes` stay in force, so a person can
    narrow an earlier decision. offline: it may work while the person is away, until `offline_until` or without an end.
    Nobody consents for another person. Raises PermissionDenied, NotFound. Says consent.granted, unless nothing changed.
    """
    if actor.kind is not ActorKind.USER or actor.id is None:
        raise PermissionDenied
    application = Application.objects.filter(pk=application_id, status=ApplicationStatus.ACTIVE).first()
    if application is None:
        raise NotFound
    now = clock.now()
    # The person's row is the lock: a form that is sent twice at once must not make two consents.
    for_write(User.objects.filter(pk=actor.id)).first()
    consent = for_write(
        Consent.objects.filter(user_id=actor.id, application_id=application_id, withdrawn_at=None)
    ).first()
    pairs = [(each.name, each.scope) for each in mapped_attributes()]
    mapped = [pair for pair in pairs if shown is None or pair in shown]
    before: dict[str, object] = {}
    if consent is None:
        consent = Consent(user_id=actor.id, application_id=application_id, granted_at=now)
    else:
        before = {
            "scopes": sorted(consent.scopes),
            "attributes": sorted(consent.attributes or ()),
            "offline": consent.offline,
            "offline_until": consent.offline_until,
        }
    wanted = {
        "scopes": rules.merged_scopes(consent.scopes, asked, scopes),
        "attributes": rules.merged_attributes(consent.attributes or (), mapped, asked=asked, granted=scopes),
        "offline": offline,
        "offline_until": offline_until if offline else None,
    }
    if before == wanted:
        return consent
    for name, value in wanted.items():
        setattr(consent, name, value)
    consent.updated_at = now
    consent.save()
    record(
        actor,
        events.ConsentGranted(
            target_id=actor.id,
            subject_id=actor.id,
            target_name=actor.name,
            consent_id=consent.pk,
            application_id=application.pk,
            name=application.name,
            scopes=list(consent.scopes),
            offline=offline,
            changes=changes_of(before, wanted) if before else {},
        ),
    )
    return consent


@transaction.atomic
def withdraw_consent(actor: Actor, *, consent_id: UUID) -> Consent:
    """Take back what a person allowed an application: its tokens are refused from now on, its refresh families end.

    One's own, or with consents:revoke on the realm or on that application. Raises NotFound, PermissionDenied, Conflict
    (withdrawn already). Says consent.withdrawn.
    """
    consent = for_write(Consent.objects.select_related("user", "application").filter(pk=consent_id)).first()
    if consent is None:
        raise NotFound
    if not is_own(actor, consent):
        scope = ("application", consent.application_id)
        if not actor.can(Permission.CONSENTS_READ, scope):
            raise NotFound
        actor.require(Permission.CONSENTS_REVOKE, scope)
    if consent.withdrawn_at is not None:
        raise Conflict
    now = clock.now()
    consent.withdrawn_at, consent.withdrawn_by = now, actor.id
    consent.save(update_fields=["withdrawn_at", "withdrawn_by"])
    ended = _end_families(consent, now, actor.id)
    record(
        actor,
        events.ConsentWithdrawn(
            target_id=consent.user_id,
            subject_id=consent.user_id,
            target_name=consent.user.display_name,
            consent_id=consent.pk,
            application_id=consent.application_id,
            name=consent.application.name,
            families=ended,
        ),
    )
    return consent


def _end_families(consent: Consent, now: datetime, by: UUID | None) -> int:
    """Validity asks the consent anyway; the rows end too, so that a later consent revives nothing (OA-16).

    By name: `oauth` stands above this room.
    """
    families = apps.get_model("identity", "RefreshFamily").objects.filter(
        user_id=consent.user_id, application_id=consent.application_id, status="active"
    )
    return int(families.update(status="revoked", status_changed_at=now, status_by=by, end_reason="consent_withdrawn"))
