"""Change lists of Unfold in the console: what people look up and nobody edits by hand."""

from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from console.shell.model_admin import RealmModelAdmin
from console.site import console_site
from console.templatetags.rk import ago, state
from identity.courier.models import Message, MessageStatus
from identity.kernel.permissions import Permission

STATES = {
    MessageStatus.QUEUED: (_("Waiting"), "low", "schedule"),
    MessageStatus.SENT: (_("Sent"), "ok", ""),
    MessageStatus.FAILED: (_("Failed"), "high", ""),
    MessageStatus.EXPIRED: (_("Expired"), "med", ""),
}


@admin.register(Message, site=console_site)
class MessageAdmin(RealmModelAdmin):
    """What was mailed and what waits. Addresses and contents are sealed: they hold codes and links."""

    view_permission = Permission.SETTINGS_READ
    list_display = ("template", "channel", "shown_state", "attempts", "written", "last_error")
    list_filter = ("status", "channel")
    search_fields = ("template",)
    search_help_text = _("Kind of message")
    ordering = ("-id",)
    fields = (
        "template",
        "channel",
        "language",
        "status",
        "attempts",
        "created_at",
        "sent_at",
        "expires_at",
        "last_error",
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> object:
        """Names the page as the sidebar does."""
        return super().changelist_view(request, {"title": _("Messages"), **(extra_context or {})})

    @admin.display(description=_("Status"), ordering="status")
    def shown_state(self, message: Message) -> SafeString:
        """Icon and word."""
        word, level, icon = STATES[MessageStatus(message.status)]
        return state(str(word), level, icon)

    @admin.display(description=_("Written"), ordering="id")
    def written(self, message: Message) -> str:
        """How long ago."""
        moment: datetime = message.created_at
        return ago(moment)
