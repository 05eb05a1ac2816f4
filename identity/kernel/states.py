"""States, not deletions (DECISIONS 4): what a row that can be ended carries, so that undo is a state change."""

from django.db import models


class Stated(models.Model):
    """status, since when, by whom, and until when the former state is held for an undo."""

    status = models.CharField(max_length=12, default="active")
    status_changed_at = models.DateTimeField(null=True)
    status_by = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True
