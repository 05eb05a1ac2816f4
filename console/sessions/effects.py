"""What ending something hits, in the words and numbers of dialogs."""

from typing import Any

from django.utils.translation import gettext as _

from console.templatetags.rk import duration
from identity.oauth.queries.issued import Issued
from identity.realms.models import Realm


def effects_of(issued: Issued) -> list[dict[str, Any]]:
    """Rows of rk/dialog/blast_radius.html, counted when the dialog opened."""
    return [
        {"icon": "logout", "label": _("End sessions"), "count": issued.sessions, "note": _("at once")},
        {
            "icon": "token",
            "label": _("Revoke refresh tokens"),
            "count": issued.refresh_tokens,
            "note": _("offline access too"),
        },
    ]


def token_note(realm: Realm) -> str:
    """The limit of "at once": a JWT that an API verifies by itself lasts out its lifetime (DECISIONS 17)."""
    return _("Access tokens already issued last up to %(lifetime)s.") % {
        "lifetime": duration(realm.setting("access_token_lifetime"))
    }
