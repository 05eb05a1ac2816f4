"""What was just written, in the audit trail: the link in the line that tells the result."""

from urllib.parse import urlencode
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from console.shell.http import ConsoleRequest
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


def trail_url(request: ConsoleRequest, kind: str, object_id: UUID, name: str = "") -> str:
    """The trail of one object, newest first; empty for one who may not read it."""
    if not request.actor.can(Permission.AUDIT_READ):
        return ""
    try:
        url = reverse("console:audit")
    except NoReverseMatch:
        return ""
    target = {"target": public_id(kind, object_id)}
    return f"{url}?{urlencode(target | ({'target_name': name} if name else {}))}"


def with_trail(request: ConsoleRequest, text: str, object_id: UUID, kind: str = "user", name: str = "") -> str:
    """`text` with a link to the newest events about an object, for one who may read the trail."""
    url = trail_url(request, kind, object_id, name)
    return format_html('{} <a class="alink" href="{}">{}</a>', text, url, _("Show in the trail")) if url else text
