"""Tables of the audit trail: events, their outbox, the keys of the people in them, and leases of periodic work."""

from django.db import models

from identity.kernel.ids import uuid7


class AuditEvent(models.Model):
    """One thing that happened. Immutable: no foreign key reaches it and no delivery state lives here (DECISIONS 1, 2).

    The table is made by `identity.audit.ddl` and not managed by Django, whose flush and table rebuilds would run into
    its triggers or silently drop them. `occurred_at` is the millisecond inside `id`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    realm_id = models.UUIDField()
    type = models.CharField(max_length=80)
    schema_version = models.SmallIntegerField(default=1)
    occurred_at = models.DateTimeField()
    actor_type = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_realm = models.UUIDField(null=True)
    on_behalf_of = models.UUIDField(null=True)
    session_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, default="")
    target_type = models.CharField(max_length=32, default="")
    target_id = models.UUIDField(null=True)
    outcome = models.CharField(max_length=10, default="success")
    payload = models.JSONField(default=dict)
    pii = models.BinaryField(null=True)
    person_hash = models.BinaryField(null=True)
    address_hash = models.BinaryField(null=True)

    class Meta:
        managed = False
        db_table = "identity_auditevent"

    def __str__(self) -> str:
        return f"{self.type} {self.occurred_at:%Y-%m-%d %H:%M:%S}"


class Outbox(models.Model):
    """One durable consumer that still has to work on one event; deleted in the transaction that does that work."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_id = models.UUIDField()
    realm_id = models.UUIDField()
    consumer = models.CharField(max_length=40)
    attempts = models.SmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "consumer"], name="outbox_once")]
        indexes = [models.Index(fields=["not_before", "id"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.consumer} for {self.event_id}"


class SubjectKey(models.Model):
    """The key that one person's data in the trail is sealed under; deleting the row erases the person (DECISIONS 2)."""

    subject_id = models.UUIDField(primary_key=True)
    realm_id = models.UUIDField(db_index=True)
    wrapped = models.BinaryField(max_length=80)

    def __str__(self) -> str:
        return str(self.subject_id)


class Lease(models.Model):
    """Which process leads one kind of periodic work until when; a stale holder's fence number is refused."""

    name = models.CharField(primary_key=True, max_length=60)
    holder = models.CharField(max_length=64)
    fence = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


__all__ = ["AuditEvent", "Lease", "Outbox", "SubjectKey"]
