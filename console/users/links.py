"""A person's accounts elsewhere as admins see them."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.users.people import Rights, short
from identity.accounts.models import User
from identity.kernel.ids import public_id
from identity.signin.social import linked_accounts


def link_panel(user: User, rights: Rights) -> dict[str, Any]:
    """The card of the person's page."""
    links = []
    for linked in linked_accounts(user):
        provider = linked["provider"]
        links.append(
            {
                "name": provider.name,
                "label": linked["label"],
                "note": _("used %(when)s") % {"when": short(linked["account"].last_login)},
                "url": reverse("console:user_unlink", args=[public_id("user", user.pk), provider.alias])
                if rights.write
                else "",
            }
        )
    return {"links": links}
