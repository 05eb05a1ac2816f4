"""Content security policy and cookies. Cookie names per realm are in identity.sessions."""

from django.utils.csp import CSP

# The hash of the empty string lets Plotly create its (empty) style element; style attributes stay possible for charts.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"

# Sign-in, consent and account pages; the console relaxes framing to 'self' for Unfold's popups (DECISIONS 37).
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src-elem": [CSP.SELF, CSP.NONCE, EMPTY_STYLE],
    "style-src-attr": [CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
CONSOLE_CSP = {**SECURE_CSP, "frame-src": [CSP.SELF], "frame-ancestors": [CSP.SELF]}

X_FRAME_OPTIONS = "SAMEORIGIN"
# Not "no-referrer": browsers then send `Origin: null` with our own forms, which CSRF protection rightly refuses.
# Other sites get no referrer under this one either; answers that carry a code say "no-referrer" themselves (OA-35).
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "identity.signin.failures.csrf_failure"
SESSION_COOKIE_AGE = 7 * 24 * 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
