"""`is_usable`: validity is derived, not propagated (DECISIONS 17). Each part is asked at the moment of use."""

from datetime import datetime, timedelta

from identity.accounts.models import User
from identity.applications.models import Application
from identity.consent.models import Consent
from identity.kernel import clock
from identity.realms.models import Realm
from identity.sessions.models import Session, SessionStatus


def session_is_live(session: Session, realm: Realm, now: datetime | None = None) -> bool:
    """Whether the session is active, not expired and not idle for longer than the realm allows."""
    moment = now or clock.now()
    idle = timedelta(seconds=realm.setting("session_idle_lifetime"))
    return (
        session.status == SessionStatus.ACTIVE and session.expires_at > moment and session.last_seen_at > moment - idle
    )


def is_usable(
    realm: Realm,
    *,
    user: User | None = None,
    session: Session | None = None,
    application: Application | None = None,
    consent: Consent | None = None,
) -> bool:
    """Whether everything that is named may still be used. What is None is not asked.

    Stops "disabled principal still accepted", the failure that eight products of this field had: a disabled or locked
    person, ended session, disabled application, withdrawn consent or suspended realm loses access at the next request.
    """
    if not realm.is_active:
        return False
    realm_id = realm.pk
    for row in (user, session, application, consent):
        if row is not None and row.realm_id != realm_id:
            return False
    if user is not None and not user.is_active:
        return False
    if session is not None:
        if not session_is_live(session, realm):
            return False
        if user is not None and session.user_id != user.pk:
            return False
    if application is not None and not application.is_active:
        return False
    return consent is None or consent.withdrawn_at is None
