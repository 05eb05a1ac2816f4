"""One-time page messages in a cookie per realm: a message of one realm must not show in another's tab."""

from django.contrib.messages.storage.cookie import CookieStorage

from identity.kernel.naming import cookie_name


class RealmMessageStorage(CookieStorage):
    """Django's cookie storage under the realm's own cookie name."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        """The realm's message cookie."""
        realm = self.request.realm
        return cookie_name("m", realm) if realm else "rk_m"
