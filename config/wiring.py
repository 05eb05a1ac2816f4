"""Who reacts to what: the one place where consumers are subscribed. Called once, when all apps are loaded."""

import pkgutil
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.core.management import call_command
from django.db.models.signals import post_migrate

import identity
from console.live.publishing import publish_event
from identity.access.commands import end_due_visits
from identity.access.permission_sync import sync_permissions
from identity.accounts.expired import former_passwords_to_purge, invitations_to_purge, one_time_codes_to_purge
from identity.accounts.mails import PASSWORD_WISH
from identity.audit.leases import add_job, in_each_realm
from identity.audit.outbox import subscribe
from identity.audit.partitions import top_up
from identity.audit.publishing import add_publisher
from identity.audit.queries import export_chunks_to_purge, exports_to_purge
from identity.courier.commands.feedback import CODE_USED, answer_code_used
from identity.courier.late import answer_late
from identity.courier.queries import messages_to_purge
from identity.gate import jobs as admitted_jobs
from identity.gate.queue import recover
from identity.kernel import idempotency, jobs, ratelimit
from identity.kernel.actor import system_actor
from identity.metrics import rules as metrics_rules
from identity.metrics.counting import measure_all
from identity.metrics.reactions import on_counted_event
from identity.oauth.commands import retire_due_keys
from identity.oauth.queries.expired import (
    codes_to_purge,
    denials_to_purge,
    families_to_purge,
    refresh_tokens_to_purge,
)
from identity.realms.commands import order_due_purges, purge_expired
from identity.realms.purging import Expired, purge_when_expired
from identity.security.queries import reviews_to_purge
from identity.security.reactions import on_sms_limit_reached, on_suspicious_event
from identity.sessions.queries import devices_to_purge, sessions_to_purge
from identity.signin.commands import (
    CODE_WISH,
    RESET_CODE_WISH,
    UNLOCK_WISH,
    answer_code_wish,
    answer_reset_code_wish,
    answer_unlock_wish,
    answer_wish_for_password,
)

SUSPICIOUS = ("code.replayed", "refresh.reused", "signin.failed", "signin.succeeded")

# In this order: what hangs on something else goes before it.
EXPIRES: dict[str, Expired] = {
    "codes": codes_to_purge,
    "refresh_tokens": refresh_tokens_to_purge,
    "refresh_families": families_to_purge,
    "denials": denials_to_purge,
    "sign_in_reviews": reviews_to_purge,
    "sessions": sessions_to_purge,
    "devices": devices_to_purge,
    "invitations": invitations_to_purge,
    "one_time_codes": one_time_codes_to_purge,
    "former_passwords": former_passwords_to_purge,
    "messages": messages_to_purge,
    "export_files": export_chunks_to_purge,
    "exports": exports_to_purge,
    "rate_counters": ratelimit.expired,
    "idempotency_keys": idempotency.expired,
}

_wired = False


def load_rooms() -> None:
    """Import every room's events and tasks, so that each process can tell any event in words and run any task."""
    for room in pkgutil.iter_modules(identity.__path__):
        for part in ("events", "tasks"):
            name = f"identity.{room.name}.{part}"
            if room.ispkg and find_spec(name):
                import_module(name)


def wire() -> None:
    """Subscribe every durable consumer and publisher. Repeated calls (tests, autoreload) change nothing."""
    global _wired
    if _wired:
        return
    _wired = True
    load_rooms()
    post_migrate.connect(sync_permissions, dispatch_uid="identity.sync_permissions")

    subscribe("metrics", on_counted_event, metrics_rules.COUNTED)
    subscribe("security", on_suspicious_event, SUSPICIOUS)
    subscribe("security.spend", on_sms_limit_reached, ("sms.limit_reached",))

    answer_late(PASSWORD_WISH, answer_wish_for_password)
    answer_late(CODE_USED, answer_code_used)
    answer_late(CODE_WISH, answer_code_wish)
    answer_late(UNLOCK_WISH, answer_unlock_wish)
    answer_late(RESET_CODE_WISH, answer_reset_code_wish)

    jobs.run_by(admitted_jobs.run)
    for name, expired in EXPIRES.items():
        purge_when_expired(name, expired)

    if settings.REDIS_URL:
        add_publisher(publish_event)

    minute, hour, day = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
    add_job("audit.partitions", day, lambda _held: top_up())
    add_job("metrics.measure", minute, measure_all)
    add_job("access.visits", minute, in_each_realm(lambda realm: end_due_visits(system_actor(realm.pk))))
    add_job("oauth.retire_keys", hour, in_each_realm(lambda realm: retire_due_keys(system_actor(realm.pk))))
    add_job("jobs.recover", timedelta(seconds=10), recover)
    add_job("realms.purge", hour, order_due_purges)
    add_job("realms.purge_expired", timedelta(minutes=10), purge_expired)
    add_job("tasks.prune", day, lambda _held: call_command("prune_db_task_results", verbosity=0))
