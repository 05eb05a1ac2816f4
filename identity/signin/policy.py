"""allauth's settings, answered per realm. Imported while apps load, so no model is imported here."""

from typing import Any

from django.apps import apps
from django.conf import settings

from identity.kernel.context import current_realm
from identity.kernel.naming import cookie_name, is_https


def allauth_setting(name: str, default: Any) -> Any:
    """The value of one allauth setting for the realm of the moment."""
    realm = current_realm()
    if name == "ACCOUNT_UNIQUE_EMAIL":
        # False while models load: the global index on addresses is never made. True for the system check, which
        # can't be silenced. False in a realm: our own hooks decide about uniqueness there.
        return apps.models_ready and realm is None
    if name == "ACCOUNT_RATE_LIMITS":
        # allauth counts in the cache, per process where there is no Redis. identity.signin.limits counts instead.
        return False
    if realm is not None:
        match name:
            case "ACCOUNT_EMAIL_VERIFICATION":
                return "mandatory" if realm.setting("email_verification_required") else "optional"
            case "ACCOUNT_SALT":
                # A confirmation link of one realm does not verify in another.
                return f"account-{realm.pk}"
            case "MFA_TRUST_COOKIE_NAME":
                return cookie_name("t", realm)
            case "MFA_TRUST_COOKIE_SECURE":
                return is_https(realm)
            case "MFA_TRUST_COOKIE_PATH":
                return "/"
    return getattr(settings, name, default)
