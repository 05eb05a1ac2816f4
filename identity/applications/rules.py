"""Pure decisions about applications: what may be registered, and whether a redirect URI matches."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from identity.applications.models import ApplicationType, AuthMethod
from identity.kernel.errors import Invalid

MAX_URIS = 50
MAX_URI = 2000
CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{3,100}")
# RFC 6749, 3.3: scope-token
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,100}")
PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\uffff\\*\"<>^`{|}]")
LOOPBACK = ("127.0.0.1", "[::1]")

BUILT_IN_SCOPES: dict[str, tuple[str, str]] = {
    "openid": (gettext_noop("Sign you in"), gettext_noop("Lets the application know that it is you.")),
    "profile": (gettext_noop("Your profile"), gettext_noop("Name, language and time zone.")),
    "email": (gettext_noop("Your email address"), gettext_noop("The address, and whether it is verified.")),
    "phone": (gettext_noop("Your phone number"), gettext_noop("The number, and whether it is verified.")),
    "offline_access": (
        gettext_noop("Access while you're away"),
        gettext_noop("Keeps working after you sign out, for as long as you choose."),
    ),
}
"""Scope → title and description (OpenID Connect Core 1.0, 5.4 and 11). Stored in English, translated when shown."""

GRANTS_OF: dict[str, tuple[str, ...]] = {
    ApplicationType.WEB: ("authorization_code", "refresh_token", "client_credentials"),
    ApplicationType.SPA: ("authorization_code", "refresh_token"),
    ApplicationType.NATIVE: ("authorization_code", "refresh_token"),
    ApplicationType.SERVICE: ("client_credentials",),
}
"""What each type may be allowed at all (RFC 9700: neither the implicit nor the password grant exists)."""

REQUIRABLE_ACRS = ("", "urn:realmkeep:acr:2", "urn:realmkeep:acr:3")
"""What an application may ask of each sign-in to it: nothing, two factors, or two with a passkey or key among them."""

DEFAULT_GRANTS: dict[str, tuple[str, ...]] = {
    ApplicationType.WEB: ("authorization_code", "refresh_token"),
    ApplicationType.SPA: ("authorization_code", "refresh_token"),
    ApplicationType.NATIVE: ("authorization_code", "refresh_token"),
    ApplicationType.SERVICE: ("client_credentials",),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a registration that only make sense together."""

    type: str
    grant_types: tuple[str, ...]
    token_endpoint_auth_method: str
    first_party: bool
    skip_consent: bool
    redirect_uris: tuple[str, ...]

    @property
    def is_confidential(self) -> bool:
        """Whether it authenticates with a secret."""
        return self.token_endpoint_auth_method != AuthMethod.NONE


def checked_name(name: str) -> str:
    """A display name. Raises Invalid (field name)."""
    name = " ".join(name.split())
    if not name or len(name) > 100 or not name.isprintable():
        raise Invalid(_("Give the application a name of up to 100 characters."), field="name")
    return name


def checked_client_id(client_id: str) -> str:
    """A client id that a realm file or an admin chose. Raises Invalid (field client_id)."""
    if not CLIENT_ID.fullmatch(client_id):
        raise Invalid(_("Use 3 to 100 letters, digits and the characters . _ ~ -."), field="client_id")
    return client_id


def checked_redirect_uri(uri: str, type_: str, *, field: str = "redirect_uris") -> str:
    """A URI that may be registered: https; http only on the loopback address; a private scheme for native apps only.

    No fragment, wildcard, userinfo, dot segment, control character or backslash, since parsers differ on those and an
    attacker lives off the difference (OA-01; RFC 9700, 4.1.3; RFC 8252, 7 and 8.3). Raises Invalid, naming `field`.
    """
    if len(uri) > MAX_URI or _FORBIDDEN.search(uri):
        raise Invalid(
            _("%(uri)s: use a plain URI without spaces, wildcards or special characters.") % {"uri": uri[:80]},
            field=field,
        )
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise Invalid(_("%(uri)s is not a URI.") % {"uri": uri[:80]}, field=field) from None
    if "#" in uri:
        raise Invalid(_("%(uri)s: a redirect URI can’t have a fragment.") % {"uri": uri[:80]}, field=field)
    if "@" in parts.netloc:
        raise Invalid(_("%(uri)s: a redirect URI can’t hold a user name.") % {"uri": uri[:80]}, field=field)
    segments = parts.path.lower().replace("%2e", ".").split("/")
    if ".." in segments or "." in segments:
        raise Invalid(_("%(uri)s: a redirect URI can’t hold . or .. segments.") % {"uri": uri[:80]}, field=field)
    if parts.scheme in ("https", "http"):
        host = parts.hostname or ""
        if not host or host.endswith(".") or port == 0:
            raise Invalid(_("%(uri)s has no usable host.") % {"uri": uri[:80]}, field=field)
        if parts.netloc != parts.netloc.lower():
            raise Invalid(_("%(uri)s: write the host in lower case.") % {"uri": uri[:80]}, field=field)
        if parts.scheme == "http" and not is_loopback(host) and host != "localhost":
            raise Invalid(
                _("%(uri)s uses http. Use https, or a loopback address while developing.") % {"uri": uri[:80]},
                field=field,
            )
        return uri
    if type_ == ApplicationType.NATIVE and PRIVATE_SCHEME.fullmatch(parts.scheme):
        return uri
    raise Invalid(
        _("%(uri)s: use https, or for a native application a scheme such as com.example.app.") % {"uri": uri[:80]},
        field=field,
    )


def is_loopback(host: str) -> bool:
    """Whether a host is an address of this machine itself, written as one."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def redirect_uri_matches(registered: Iterable[str], requested: str, *, native: bool) -> bool:
    """Exact string comparison; for native applications the port of a loopback IP may differ (RFC 8252, 7.3).

    Stops open redirectors that live off lenient matching (OA-01, OA-02): no normalization, no prefix, no localhost.
    """
    known = list(registered)
    if requested in known:
        return True
    if not native:
        return False
    wanted = _without_loopback_port(requested)
    return wanted is not None and any(_without_loopback_port(uri) == wanted for uri in known)


def _without_loopback_port(uri: str) -> str | None:
    found = re.fullmatch(r"http://(127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?(/[^#]*)?", uri)
    if found is None or (found[2] and not 0 < int(found[2]) < 65536):
        return None
    return f"http://{found[1]}{found[3] or ''}"


def checked_uris(uris: Sequence[str], type_: str, *, field: str = "redirect_uris") -> tuple[str, ...]:
    """Registered URIs, each once, in the given order. Raises Invalid, naming `field`."""
    cleaned = tuple(dict.fromkeys(uri.strip() for uri in uris if uri.strip()))
    if len(cleaned) > MAX_URIS:
        raise Invalid(_("Register at most %(count)s URIs.") % {"count": MAX_URIS}, field=field)
    return tuple(checked_redirect_uri(uri, type_, field=field) for uri in cleaned)


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Origins that may call the token endpoint from a browser. Raises Invalid (field allowed_origins)."""
    out = []
    for origin in dict.fromkeys(o.strip().rstrip("/") for o in origins if o.strip()):
        parts = urlsplit(origin)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query or "@" in origin:
            raise Invalid(
                _("%(origin)s is not an origin such as https://app.example.") % {"origin": origin[:80]},
                field="allowed_origins",
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname) and parts.hostname != "localhost":
            raise Invalid(_("%(origin)s uses http. Use https.") % {"origin": origin[:80]}, field="allowed_origins")
        out.append(origin)
    return tuple(out)


def checked_scope_name(name: str) -> str:
    """A scope value. Raises Invalid (field name)."""
    if not SCOPE.fullmatch(name):
        raise Invalid(_("Use letters, digits and the characters . : / _ - without spaces."), field="name")
    return name


def checked_shape(shape: Shape) -> Shape:
    """The registration as a whole. Raises Invalid, naming the first field that does not fit the others."""
    if shape.type not in ApplicationType.values:
        raise Invalid(_("Choose a type."), field="type")
    unknown = [grant for grant in shape.grant_types if grant not in GRANTS_OF[shape.type]]
    if unknown:
        raise Invalid(
            _("%(grant)s is not possible for this type of application.") % {"grant": unknown[0]}, field="grant_types"
        )
    if not shape.grant_types:
        raise Invalid(_("Choose at least one grant."), field="grant_types")
    if shape.token_endpoint_auth_method not in AuthMethod.values:
        raise Invalid(_("Choose how the application proves itself."), field="token_endpoint_auth_method")
    public_type = shape.type in (ApplicationType.SPA, ApplicationType.NATIVE)
    if public_type and shape.is_confidential:
        raise Invalid(
            _("An application on a person’s device can’t keep a secret. Use none, with PKCE."),
            field="token_endpoint_auth_method",
        )
    if not public_type and not shape.is_confidential and "client_credentials" in shape.grant_types:
        raise Invalid(_("Client credentials need a secret."), field="token_endpoint_auth_method")
    if "authorization_code" in shape.grant_types and not shape.redirect_uris:
        raise Invalid(_("Add at least one redirect URI."), field="redirect_uris")
    if shape.skip_consent:
        if not shape.first_party:
            raise Invalid(_("Only the realm’s own applications can skip consent."), field="skip_consent")
        if not shape.is_confidential and not all(uri.startswith("https://") for uri in shape.redirect_uris):
            # RFC 8252, 8.6: another app on the device may claim the same loopback port or scheme.
            raise Invalid(_("Skipping consent needs a secret or https redirect URIs."), field="skip_consent")
    return shape
