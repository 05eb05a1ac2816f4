"""One view, two answers: the whole page, or the region of it that htmx asked for."""

from collections.abc import Mapping
from typing import Any, Literal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from console.shell.http import wants_fragment

Level = Literal["success", "info", "warning", "error"]

_MESSAGE_LEVELS = {
    "success": messages.SUCCESS,
    "info": messages.INFO,
    "warning": messages.WARNING,
    "error": messages.ERROR,
}


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragment: str = "panel",
    status: int = 200,
) -> HttpResponse:
    """The page, or its region `{% partialdef <fragment> %}` when htmx asks.

    A region carries the page's <title> (from `title` in the context), so that the tab is named right.
    """
    values = dict(context or {})
    if wants_fragment(request):
        values["is_fragment"] = True
        body = render_to_string(f"{template}#{fragment}", values, request)
        if values.get("title"):
            body = format_html("<title>{}</title>", page_title(request, str(values["title"]))) + body
        response = HttpResponse(body, status=status)
    else:
        response = HttpResponse(render_to_string(template, values, request), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def render_dialog(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A dialog for #dialog, or the same as a page of its own. The template extends rk/dialog/base.html."""
    as_fragment = wants_fragment(request)
    values = {**(context or {}), "is_fragment": as_fragment}
    body = render_to_string(template, values, request)
    if not as_fragment:
        body = render_to_string("console/dialog_page.html", {**values, "dialog": body}, request)
    response = HttpResponse(body, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def page_title(request: HttpRequest, title: str) -> str:
    """The text of <title>: page, realm, product."""
    realm = getattr(request, "realm", None)
    return " · ".join(part for part in (title, getattr(realm, "name", ""), "Realmkeep") if part)


def redirect_after(request: HttpRequest, url: str, text: str = "", *, level: Level = "success") -> HttpResponse:
    """Leave after a write: a redirect that htmx follows as a page load, and a toast on the next page."""
    if text:
        messages.add_message(request, _MESSAGE_LEVELS[level], text)
    if getattr(request, "htmx", None):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def with_toast(
    response: HttpResponse, text: str, *, level: Level = "success", link: tuple[str, str] | None = None
) -> HttpResponse:
    """Show a toast when htmx has swapped this response. For redirects use `redirect_after`.

    link: (address, words) of what the toast is about.
    """
    detail = {"text": str(text), "level": level}
    if link is not None:
        detail |= {"url": link[0], "label": link[1]}
    return trigger_client_event(response, "rk:toast", detail)


def close_dialog(response: HttpResponse) -> HttpResponse:
    """Close the dialog or drawer that sent this request, after the swap."""
    return trigger_client_event(response, "rk:close", {})
