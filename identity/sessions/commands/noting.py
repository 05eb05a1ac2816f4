"""What a sign-in and the use of applications write on a session."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from identity.applications.models import Application
from identity.kernel import clock, sql
from identity.sessions.models import Device, Session, SessionApplication, SessionStatus


def note_authentication(  # house: HR03 signin.succeeded says it
    *,
    session_id: UUID,
    amr: Sequence[str],
    acr: str,
    at: datetime,
    lifetime: timedelta | None = None,
    device: Device | None = None,
    country: str = "",
) -> None:
    """Write on the session how and when the person showed who he is: what `amr`, `acr` and `auth_time` will say.

    lifetime: given at a sign-in, from which the session lives so long; the browser's row may be older than that.
    device, country: where a sign-in came from.
    """
    values: dict[str, Any] = {"amr": list(amr), "acr": acr, "authenticated_at": at}
    if lifetime is not None:
        values |= {"created_at": at, "last_seen_at": at, "expires_at": at + lifetime}
    if device is not None:
        values |= {"device_id": device.pk, "country": country}
    sql.change_one(Session, session_id, values, status=SessionStatus.ACTIVE)


def note_application_use(  # house: HR03 token.issued says it
    session: Session, *, application: Application
) -> None:
    """Remember that an application got tokens through a session, for the devices page and for signing out of it."""
    now = clock.now()
    with transaction.atomic():
        changed = SessionApplication.objects.filter(session=session, application=application).update(last_used_at=now)
        if not changed:
            SessionApplication.objects.bulk_create(
                [
                    SessionApplication(
                        realm_id=session.realm_id,
                        session=session,
                        application=application,
                        first_used_at=now,
                        last_used_at=now,
                    )
                ],
                ignore_conflicts=True,
            )
