"""The console as an Unfold admin site: one per realm mount, opened by the Actor's permissions and nothing else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, include, path, reverse
from unfold.sites import UnfoldAdminSite

from console.shell.palette import palette
from console.shell.theme import choose_theme, theme_css
from console.shell.views import refused, to_sign_in
from identity.kernel.permissions import Permission

# The admin's own sign-in, passwords, search, index and cross-object redirect: ours stand instead, or nothing.
NOT_OURS = frozenset(("login", "logout", "password_change", "password_change_done", "search", "view_on_site", "index"))


class ConsoleSite(UnfoldAdminSite):
    """Shell and change lists from Unfold; sign-in, permission, palette and overview are ours."""

    settings_name = "UNFOLD_CONSOLE"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the actor may open the console at all."""
        actor = getattr(request, "actor", None)
        return actor is not None and actor.is_person and actor.can_somewhere(Permission.CONSOLE_OPEN)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Our areas first, then the change lists."""
        admin_urls = [url for url in super().get_urls() if getattr(url, "name", None) not in NOT_OURS]
        return [
            path("theme.css", theme_css, name="theme_css"),
            path("theme", choose_theme, name="choose_theme"),
            path("find", palette, name="search"),
            path("login", self.login, name="login"),
            path("", include("console.urls")),
            *admin_urls,
        ]

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Asks before the admin does, which would look for its own sign-out page when it refuses."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                return self.login(request)
            return inner(request, *args, **kwargs)

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The admin asks for this when it refuses: to the realm's sign-in, or a refusal if that happened already."""
        actor = getattr(request, "actor", None)
        if actor is not None and actor.is_person:
            return refused(request, Permission.CONSOLE_OPEN)
        return to_sign_in(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Unfold's search is unbounded and its cache knows no realm: ours stands at `find`."""
        raise Http404

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Only named by the admin's own templates; the sidebar is the index."""
        return HttpResponseRedirect(reverse("console:index"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Unfold's context, for pages of the admin; our own need none of it. Colors come from a stylesheet."""
        return {**super().each_context(request), "colors": {}, "show_history": False}


console_site = ConsoleSite(name="console")
