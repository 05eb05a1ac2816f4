"""Change lists of Unfold in the console: what people look up and nobody edits by hand."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from console.shell.model_admin import RealmModelAdmin
from console.signin.messages.wording import TEMPLATES
from console.site import console_site
from console.templatetags.rk import ago, state
from identity.courier.models import Channel, Message, MessageStatus
from identity.kernel.permissions import Permission

STATES = {
    MessageStatus.QUEUED: (_("Waiting"), "low", "schedule"),
    MessageStatus.SENT: (_("Sent"), "ok", ""),
    MessageStatus.FAILED: (_("Failed"), "high", ""),
    MessageStatus.EXPIRED: (_("Expired"), "med", ""),
    MessageStatus.REFUSED: (_("Refused: over a limit"), "med", ""),
}
CHANNELS = {Channel.EMAIL: pgettext_lazy("channel", "Email"), Channel.SMS: _("SMS")}


def _column(name: str, title: Promise, words: Mapping[Any, Any] | None = None) -> Callable[..., Any]:
    """A field under a title that can be translated, without a migration for its words."""

    @admin.display(description=title, ordering=name)
    def shown(message: Message) -> Any:
        value = getattr(message, name)
        return (words or {}).get(value, value)

    return shown


class StateFilter(admin.SimpleListFilter):
    """By what became of them."""

    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Promise]]:
        """Each in the words of the list."""
        return [(str(value), word) for value, (word, _level, _icon) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """Those of the chosen one."""
        return queryset.filter(status=self.value()) if self.value() in MessageStatus.values else queryset


class ChannelFilter(admin.SimpleListFilter):
    """By how they travel."""

    title = _("Channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Promise]]:
        """Each in the words of the list."""
        return [(str(value), word) for value, word in CHANNELS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """Those of the chosen one."""
        return queryset.filter(channel=self.value()) if self.value() in Channel.values else queryset


@admin.register(Message, site=console_site)
class MessageAdmin(RealmModelAdmin):
    """What was mailed and what waits. Addresses and contents are sealed: they hold codes and links."""

    template = _column("template", _("Kind of message"), TEMPLATES)
    channel = _column("channel", _("Channel"), CHANNELS)
    language = _column("language", _("Language"), dict(settings.LANGUAGES))
    tries = _column("attempts", _("Tries"))
    queued = _column("created_at", _("Written"))
    sent = _column("sent_at", _("Sent"))
    expires = _column("expires_at", _("Expires"))
    failure = _column("last_error", _("Last failure"))

    view_permission = Permission.SETTINGS_READ
    list_display = (template, channel, "shown_state", tries, "written", failure)
    list_filter = (StateFilter, ChannelFilter)
    search_fields = ("template",)
    search_help_text = _("Kind of message")
    ordering = ("-id",)
    readonly_fields = (template, channel, language, "shown_state", tries, queued, sent, expires, failure)
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Without wishes: the worker makes a message of each, or none (see courier.late)."""
        return super().get_queryset(request).exclude(channel=Channel.LATE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> object:
        """Names the page as the sidebar does."""
        return super().changelist_view(request, {"title": _("Messages"), **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> object:
        """Named likewise."""
        return super().changeform_view(request, object_id, form_url, {"title": _("Message"), **(extra_context or {})})

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
