"""Change lists of Unfold in the console: what people look up and nobody edits by hand."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from console.shell.model_admin import RealmModelAdmin
from console.site import console_site
from identity.applications.models import Scope
from identity.kernel.permissions import Permission


@admin.register(Scope, site=console_site)
class ScopeAdmin(RealmModelAdmin):
    """What applications can ask for, and which API each scope opens."""

    view_permission = Permission.APPLICATIONS_READ
    list_display = ("name", "shown_title", "api", "is_sensitive", "is_built_in")
    list_filter = ("sensitive", "built_in")
    search_fields = ("name", "title")
    search_help_text = _("Name or title")
    list_select_related = ("resource_server",)
    ordering = ("name",)
    fields = ("name", "title", "description", "sensitive", "built_in", "resource_server")

    @admin.display(description=_("Shown to people as"), ordering="title")
    def shown_title(self, scope: Scope) -> str:
        """What the consent page says."""
        return scope.title

    @admin.display(description=_("API"))
    def api(self, scope: Scope) -> str:
        """The resource server whose tokens carry it."""
        return scope.resource_server.name if scope.resource_server else ""

    @admin.display(description=_("Sensitive"), boolean=True, ordering="sensitive")
    def is_sensitive(self, scope: Scope) -> bool:
        """Asked for with emphasis."""
        return scope.sensitive

    @admin.display(description=_("Built in"), boolean=True, ordering="built_in")
    def is_built_in(self, scope: Scope) -> bool:
        """Comes with every realm."""
        return scope.built_in
