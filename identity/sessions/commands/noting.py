"""What a sign-in and the use of applications write on a session."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction

from identity.applications.models import Application
from identity.kernel import clock, sql
from identity.sessions.models import Device, Session, SessionApplication, SessionStatus
from identity.sessions.store import SessionStore


def begin_session(  # house: HR03 signin.succeeded says it
    store: SessionStore,
    *,
    amr: Sequence[str],
    acr: str,
    at: datetime,
    lifetime: timedelta,
    device: Device,
    country: str,
) -> Session:
    """Write the session of a sign-in, with how and from where the person came in, in one statement.

    It lives so long from now on; the browser's row may be older. Raises UpdateError when that was ended meanwhile.
    """
    store.arrival = {
        "amr": list(amr),
        "acr": acr,
        "authenticated_at": at,
        "created_at": at,
        "last_seen_at": at,
        "expires_at": at + lifetime,
        "device_id": device.pk,
        "country": country,
    }
    store.save()
    # What changes it after this is saved with the answer; what is saved need not be saved again.
    store.modified = False
    return cast(Session, store.row)


def note_authentication(  # house: HR03 signin.succeeded says it
    *,
    session_id: UUID,
    amr: Sequence[str],
    acr: str,
    at: datetime,
) -> None:
    """Write on the session how and when the person showed who he is: what `amr`, `acr` and `auth_time` will say."""
    values: dict[str, Any] = {"amr": list(amr), "acr": acr, "authenticated_at": at}
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
