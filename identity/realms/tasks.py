"""Background work on realms."""

from django.db import transaction

from identity.kernel.jobs import Run, background, enqueue
from identity.kernel.permissions import Permission
from identity.realms import commands


@background("realms.purge", permission=Permission.REALMS_DELETE, realm_states=("deleting",), in_steps=True)
def purge_realm(run: Run) -> None:
    """Empty a deleted realm; what one run can't do, the next one goes on with."""
    if not commands.purge_realm(run.actor, keep=run.keep):
        with transaction.atomic():
            run.keep()
            enqueue(run.actor, "realms.purge")
