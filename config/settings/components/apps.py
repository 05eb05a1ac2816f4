"""Apps, middleware and templates."""

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[3]

INSTALLED_APPS = [
    "daphne",
    "console",
    "identity",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.forms",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "django_otp",
    "guardian",
    "django_htmx",
    "django_tasks_db",
    "channels",
]

MIDDLEWARE = [
    "identity.realms.mount.RealmMiddleware",
    # The protocol's hot path answers here: no session, CSRF, locale or message work for a token request.
    "identity.oauth.fastpath.ProtocolMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "identity.signin.middleware.SecurityHeadersMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "identity.sessions.middleware.RealmSessionMiddleware",
    # Before CSRF: the CSRF cookie's name depends on who acts in the console.
    "identity.gate.middleware.ConsoleActorMiddleware",
    "identity.gate.middleware.RealmLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "identity.sessions.middleware.RealmCsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    # After OTP: else an operator's visit would be judged by, and end, the verified state of the realm's own session.
    "identity.gate.middleware.PrincipalMiddleware",
    "identity.gate.middleware.PersonLocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# What gives a page its headers and language. The 404 of an unknown realm or host is answered before MIDDLEWARE is
# reached, and goes through these alone.
PAGE_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "identity.signin.middleware.SecurityHeadersMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "identity.gate.middleware.RealmLocaleMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # First, so that it shadows what Unfold, allauth and DOT ship.
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
