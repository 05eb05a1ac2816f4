"""What was just written, in the audit trail: the link in the line that tells the result."""

from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from console.shell.http import ConsoleRequest
from identity.kernel.permissions import Permission


def with_trail(request: ConsoleRequest, text: str, target_id: UUID) -> str:
    """`text` with a link to the newest events about an object, for one who may read the trail."""
    if not request.actor.can(Permission.AUDIT_READ):
        return text
    try:
        url = reverse("console:audit")
    except NoReverseMatch:
        return text
    return format_html('{} <a class="alink" href="{}?target={}">{}</a>', text, url, target_id, _("Show in the trail"))
