"""Whether what a person gave an application may be used now: the protocol's question to the gate (DECISIONS 17)."""

from identity.accounts.models import User
from identity.applications.models import Application
from identity.consent.models import Consent
from identity.gate.usable import is_usable
from identity.realms.models import Realm
from identity.sessions.models import Session


def grant_is_usable(
    realm: Realm,
    *,
    user: User | None,
    application: Application | None,
    consent: Consent | None,
    session: Session | None,
    offline: bool,
) -> bool:
    """Asks realm, person, application and consent; and the session, unless the grant works while the person is away.

    What is not there is not usable: unlike in `is_usable`, a missing person, session or consent refuses. Only an
    application that skips consent needs none (DECISIONS 30).
    """
    if user is None or application is None:
        return False
    if session is None and not offline:
        return False
    if consent is None and not (application.skip_consent and application.first_party):
        return False
    return is_usable(
        realm,
        user=user,
        application=application,
        consent=consent,
        session=None if offline else session,
    )
