"""Unfold's change lists inside a realm: scoped, asked through the Actor, read-only. Writes go through our own pages."""

from typing import Any, ClassVar

from django.contrib.admin.views.main import ERROR_FLAG
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from console.shell.lists import EXACT_UP_TO
from identity.kernel.permissions import Permission


class CappedPaginator(Paginator):
    """Change lists page by offset: no further than 10,000 rows, and no count beyond them."""

    @cached_property
    def count(self) -> int:
        """At most 10,000."""
        return int(self.object_list[:EXACT_UP_TO].count())  # type: ignore[union-attr, call-arg]


class RealmModelAdmin(ModelAdmin):
    """A list (with search and filters) and a page for each row. The managers are scoped to the realm already."""

    view_permission: ClassVar[Permission]
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_view_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Asks the Actor; Unfold hands a key instead of a row here, so the row never decides."""
        return bool(request.actor.can(self.view_permission))  # type: ignore[attr-defined]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same question."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are written by commands."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Rows are written by commands."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Rows are written by commands."""
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """None from the address: Django lets it ask any field of the table, also sealed and hashed ones (IN-10)."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """An address that Django would call a database error leads to the whole list."""
        if ERROR_FLAG in request.GET and len(request.GET) > 1:
            return HttpResponseRedirect(request.path)
        return super().changelist_view(request, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The admin's log is never written (DECISIONS 9): the audit trail has the history."""
        raise Http404
