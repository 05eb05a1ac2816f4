"""allauth, django-oauth-toolkit, guardian and Django's own account machinery, bent to realms."""

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["identity.signin.backend.RealmBackend"]
SESSION_ENGINE = "identity.sessions.store"
MESSAGE_STORAGE = "identity.sessions.messages.RealmMessageStorage"
# OWASP's argon2id parameters (DECISIONS 32); all others only verify what was imported, until it is replaced.
PASSWORD_HASHERS = [
    "identity.signin.hashing.Argon2idHasher",
    "identity.signin.imported.ImportedPbkdf2Hasher",
    "identity.signin.imported.ImportedPbkdf2Sha1Hasher",
    "identity.signin.imported.ImportedBcryptHasher",
    "identity.signin.imported.ImportedBcryptSha256Hasher",
    "identity.signin.imported.ImportedScryptHasher",
    "identity.signin.imported.ImportedForeignHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "identity.signin.hashing.MaximumLengthValidator"},
]
# URL names, not paths: paths in settings don't get the realm's prefix.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "selfservice:overview"

ALLAUTH_SETTING_GETTER = "identity.signin.policy.allauth_setting"
ACCOUNT_ADAPTER = "identity.signin.adapter.RealmAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "identity.signin.forms.SignInForm",
    "reset_password": "identity.signin.forms.ResetPasswordForm",
    "change_password": "identity.signin.forms.ChangePasswordForm",
    "set_password": "identity.signin.forms.FirstPasswordForm",
    "user_token": "identity.signin.forms.RealmUserTokenForm",
}

# allauth.mfa keeps authenticator apps, passkeys and recovery codes; which ways in a realm has is its own setting.
MFA_ADAPTER = "identity.mfa.sealing.RealmMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_WEBAUTHN_USER_VERIFICATION = "preferred"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Trusted browsers are rows of ours (sessions.Device): they can be seen and taken away.
MFA_TRUST_ENABLED = False

# Providers are rows of a realm (realms.IdentityProvider), never settings and never linked by an address (OA-28).
SOCIALACCOUNT_ADAPTER = "identity.signin.social.RealmSocialAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, object] = {}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = False
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_QUERY_EMAIL = True

OAUTH2_PROVIDER_APPLICATION_MODEL = "identity.Application"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "identity.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "identity.RefreshToken"
OAUTH2_PROVIDER_GRANT_MODEL = "identity.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "identity.IDToken"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "identity.DeviceGrant"
# Only its authorization view runs; the rest is ours (identity.oauth). All of its RFC 9700 gates are shut all the same.
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "identity.oauth.authorization.RealmValidator",
    "OAUTH2_BACKEND_CLASS": "identity.oauth.authorization.RealmCore",
    "PKCE_REQUIRED": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

GUARDIAN_USER_OBJ_PERMS_MODEL = "identity.ObjectGrant"
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
ANONYMOUS_USER_NAME = None

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["default"],
        "OPTIONS": {"id_function": "identity.kernel.jobs.next_id"},
    }
}

SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # the e-mail is unique in its realm by constraint, which the check can't see
    "auth.E003",
    "guardian.W001",  # permissions are answered by the Actor; guardian is asked in `access` alone (DECISIONS 9)
]
