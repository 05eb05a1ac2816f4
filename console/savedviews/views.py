"""The page of all saved views, and the dialogs that keep, change and delete one."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.savedviews.tabs import LISTS, may_save, view_url
from console.shell.forms import ConsoleForm
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.views import ConsoleView
from identity.accounts.commands import change_view, delete_view, save_view
from identity.accounts.models import SavedView
from identity.accounts.queries import get_saved_view, saved_views
from identity.accounts.rules import MAX_VIEW_NAME, MOST_VIEWS
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


class ViewForm(ConsoleForm):
    """What it is called, whether it opens first, whether others see it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=MAX_VIEW_NAME)
    is_default = forms.BooleanField(
        label=gettext_lazy("Open the list with it"), required=False, help_text=gettext_lazy("For you alone.")
    )
    shared = forms.BooleanField(
        label=gettext_lazy("Share it with everybody who opens this list"),
        required=False,
        help_text=gettext_lazy("It shows each of them what his own roles allow, no more."),
    )

    def __init__(self, *args: Any, actor: Actor, is_own: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not actor.can(Permission.SETTINGS_WRITE):
            del self.fields["shared"]
        if not is_own:
            del self.fields["is_default"]


def _area_of(request: ConsoleRequest) -> str:
    """The list that the address names, for one who may open it. Raises NotFound, PermissionDenied."""
    area = request.GET.get("area", "")
    if area not in LISTS:
        raise NotFound
    if not request.actor.can_somewhere(LISTS[area].permission):
        raise PermissionDenied(permission=LISTS[area].permission)
    return area


def _query_of(request: ConsoleRequest) -> str:
    query = request.GET.copy()
    query.pop("area", None)
    return query.urlencode()


def _url(view: SavedView, name: str) -> str:
    return reverse(f"console:{name}", args=[public_id("view", view.pk)])


class Views(ConsoleView):
    """All that the person sees: own ones and shared ones, by list."""

    permission = Permission.CONSOLE_OPEN

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        actor = request.actor
        found = [
            view
            for view in saved_views(actor)
            if view.area in LISTS and actor.can_somewhere(LISTS[view.area].permission)
        ]
        return render_page(
            request,
            "console/savedviews/list.html",
            {
                "title": _("Saved views"),
                "lead": _("Filters of lists, kept under a name. Up to %(n)s of your own.") % {"n": MOST_VIEWS},
                "rows": [_row(view, actor) for view in found],
            },
        )


def _row(view: SavedView, actor: Actor) -> dict[str, Any]:
    own = view.owner_id == actor.id
    may_change = may_save(actor) and (own if not view.shared else actor.can(Permission.SETTINGS_WRITE))
    menu: list[dict[str, Any]] = []
    if own:
        label = _("Do not open the list with it") if view.is_default else _("Open the list with it")
        menu.append({"label": label, "url": _url(view, "view_default"), "icon": "home", "post": True})
    if may_change:
        menu += [
            {"label": _("Edit…"), "url": _url(view, "view_edit"), "icon": "edit", "dialog": True},
            {"divider": True},
            {
                "label": _("Delete…"),
                "url": _url(view, "view_delete"),
                "icon": "delete",
                "danger": True,
                "dialog": True,
            },
        ]
    return {
        "view": view,
        "id": public_id("view", view.pk),
        "url": view_url(view),
        "list": LISTS[view.area].label,
        "owner": _("you") if own else view.owner.display_name,
        "opens_first": own and view.is_default,
        "menu": menu,
    }


class Create(ConsoleView):
    """Keep the filters of the address."""

    permission = Permission.CONSOLE_OPEN

    def _dialog(self, request: ConsoleRequest, area: str, form: ConsoleForm, status: int = 200) -> HttpResponse:
        query = _query_of(request)
        context = {
            "title": _("Save view"),
            "crumb": _("Save view"),
            "list_label": LISTS[area].label,
            "form": form,
            "action": request.get_full_path(),
            "cancel_url": f"{reverse(f'console:{area}')}?{query}",
            "submit": _("Save view"),
        }
        return render_dialog(request, "console/savedviews/form.html", context, status=status)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks for a name."""
        return self._dialog(request, _area_of(request), ViewForm(actor=request.actor))

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Keeps."""
        area = _area_of(request)
        form = ViewForm(request.POST, actor=request.actor)
        status = 422
        if form.is_valid():
            try:
                view = save_view(request.actor, area=area, query=_query_of(request), **form.cleaned_data)
            except (Invalid, Conflict) as error:
                form.add_refusal(error)
                status = 409 if isinstance(error, Conflict) else 422
            else:
                return redirect_after(request, view_url(view), _("The view %(name)s is saved.") % {"name": view.name})
        return self._dialog(request, area, form, status)


class Edit(ConsoleView):
    """Another name; shared or not; opened first or not."""

    permission = Permission.CONSOLE_OPEN

    def _view(self, request: ConsoleRequest, text: str) -> SavedView:
        """The view, for one who may change it. Raises NotFound, PermissionDenied."""
        view = get_saved_view(request.actor, view_id=id_from("view", text))
        if view.shared:
            request.actor.require(Permission.SETTINGS_WRITE)
        return view

    def _form(self, request: ConsoleRequest, view: SavedView, data: Any = None) -> ViewForm:
        initial = {"name": view.name, "shared": view.shared, "is_default": view.is_default}
        return ViewForm(data, initial=initial, actor=request.actor, is_own=view.owner_id == request.actor.id)

    def _dialog(self, request: ConsoleRequest, view: SavedView, form: ConsoleForm, status: int = 200) -> HttpResponse:
        context = {
            "title": view.name,
            "crumb": view.name,
            "list_label": LISTS[view.area].label,
            "view": view,
            "form": form,
            "action": request.path,
            "cancel_url": reverse("console:views"),
            "submit": _("Save changes"),
        }
        return render_dialog(request, "console/savedviews/form.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        view = self._view(request, public_id)
        return self._dialog(request, view, self._form(request, view))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Changes."""
        view = self._view(request, public_id)
        form = self._form(request, view, request.POST)
        if form.is_valid():
            try:
                changed = change_view(request.actor, view_id=view.pk, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("The view %(name)s is changed.") % {"name": changed.name}
                return redirect_after(request, reverse("console:views"), text)
        return self._dialog(request, view, form, 422)


class MakeDefault(ConsoleView):
    """Open the list with one's own view, or no longer."""

    permission = Permission.CONSOLE_OPEN
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Turns it round."""
        view = get_saved_view(request.actor, view_id=id_from("view", public_id))
        changed = change_view(request.actor, view_id=view.pk, is_default=not view.is_default)
        name = {"list": LISTS[changed.area].label, "name": changed.name}
        text = _("%(list)s opens with %(name)s now.") if changed.is_default else _("%(list)s opens with all again.")
        return redirect_after(request, reverse("console:views"), text % name)


class Delete(ConsoleView):
    """Forget a view."""

    permission = Permission.CONSOLE_OPEN

    def _view(self, request: ConsoleRequest, text: str) -> SavedView:
        view = get_saved_view(request.actor, view_id=id_from("view", text))
        if view.shared:
            request.actor.require(Permission.SETTINGS_WRITE)
        return view

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        view = self._view(request, public_id)
        context = {
            "title": _("Delete view"),
            "crumb": view.name,
            "view": view,
            "action": request.path,
            "cancel_url": reverse("console:views"),
            "danger": True,
        }
        return render_dialog(request, "console/savedviews/delete.html", context)

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Deletes."""
        view = self._view(request, public_id)
        delete_view(request.actor, view_id=view.pk)
        return redirect_after(
            request, reverse("console:views"), _("The view %(name)s is deleted.") % {"name": view.name}
        )
