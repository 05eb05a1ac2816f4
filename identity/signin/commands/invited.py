"""An invitation that was accepted and left half way: where nobody has a password, its link is the only way in."""

from django.db import transaction

from identity.accounts import events
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import locked_user
from identity.accounts.models import User
from identity.accounts.queries import find_invitation_by_token
from identity.audit.record import record
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.realms.models import Realm
from identity.signin.queries import may_resume


@transaction.atomic
def resume_invitation(actor: Actor, *, realm: Realm, token: str) -> User:
    """Go on where it was left: whoever reads the mail comes in once more, and whoever did before is signed out.

    Raises NotFound (see may_resume). Says invitation.resumed.
    """
    found = find_invitation_by_token(token)
    if found is None:
        raise NotFound
    # Asked of the locked row: a passkey may be added in this moment.
    found.user = user = locked_user(found.user_id)
    if not may_resume(realm, found):
        raise NotFound
    own = actor.session_id if actor.id == user.pk else None
    ended = end_what_was_issued(actor, user=user, reason="invitation_resumed", except_session_id=own)
    record(
        actor,
        events.InvitationResumed(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            invitation_id=found.pk,
            email=found.email,
            sessions_ended=ended,
        ),
    )
    return user
