"""Consents."""

from django.db import models
from django.db.models import Q

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmOwned


class Consent(RealmOwned):
    """One person lets one application use some scopes; at most one is in force."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("identity.User", on_delete=models.CASCADE, related_name="consents")
    application = models.ForeignKey("identity.Application", on_delete=models.CASCADE, related_name="consents")
    scopes = models.JSONField(default=list)
    attributes = models.JSONField(null=True)
    """Names of the custom attributes that these scopes released when the person was asked; None: of no one."""
    offline_until = models.DateTimeField(null=True)
    offline = models.BooleanField(default=False)
    granted_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["realm", "user", "application"],
                condition=Q(withdrawn_at=None),
                name="consent_in_force_once",
            )
        ]
        indexes = [
            models.Index(fields=["realm", "application", "id"], name="consent_by_application"),
            models.Index(fields=["realm", "user", "id"], name="consent_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.application_id}"


__all__ = ["Consent"]
