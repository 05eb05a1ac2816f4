"""Tables of the audit trail: events, their outbox, the keys of the people in them, leases of work, and exports."""

from django.db import models
from django.db.models import Q

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmOwned


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
    """The key that one person's data in the trail is sealed under; deleting the row erases the person (DECISIONS 2).

    A realm has one as well, under its own id, for what belongs to nobody known.
    """

    subject_id = models.UUIDField(primary_key=True)
    realm_id = models.UUIDField(db_index=True)
    wrapped = models.BinaryField(max_length=80)

    def __str__(self) -> str:
        return str(self.subject_id)


class Lease(models.Model):
    """Which process does one piece of work until when, periodic or of the queue; a stale holder's fence is refused."""

    name = models.CharField(primary_key=True, max_length=60)
    holder = models.CharField(max_length=64)
    fence = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ExportStatus(models.TextChoices):
    """`failed`: it was given up, or who asked for it lost the right to it. That one has expired is told by the time."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


class AuditExport(RealmOwned):
    """A large export of the trail, prepared in the background for the one person who asked for it (TI-10).

    `wanted_sealed`: what to look for; a typed name or address may be in it. `until_id`: what was recorded later is not
    in it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asked_by = models.UUIDField()
    session_id = models.UUIDField(null=True)
    format = models.CharField(max_length=8)
    language = models.CharField(max_length=16)
    wanted_sealed = models.BinaryField()
    until_id = models.UUIDField()
    status = models.CharField(max_length=10, default=ExportStatus.PREPARING)
    count = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ExportStatus.values), name="audit_export_status_known")
        ]
        indexes = [models.Index(fields=["realm", "asked_by", "id"], name="audit_export_by_person")]

    def __str__(self) -> str:
        return str(self.pk)


class AuditExportChunk(RealmOwned):
    """A piece of a prepared file: compressed, and sealed to its export and its place in it.

    In the database, not in a folder: so each web node can serve what any worker has prepared, and it goes with its row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    export = models.ForeignKey(AuditExport, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "export", "number"], name="audit_export_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.export_id} {self.number}"


__all__ = ["AuditEvent", "AuditExport", "AuditExportChunk", "Lease", "Outbox", "SubjectKey"]
