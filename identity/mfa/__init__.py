"""Factors: authenticator apps, passkeys and recovery codes (allauth.mfa), codes by SMS and e-mail (django-otp).

Owns: AuthenticatorDevice, MessageDevice. Says: factor.*, device.trusted. Hears nothing. django-otp's registry of
devices is what "has a second factor" is asked of, whichever library keeps the secret.
"""
