"""The protocol layer over django-oauth-toolkit: tokens, signing keys, claims, one view file per endpoint.

Tables owned: Grant, RefreshFamily, RefreshToken, AccessToken, IDToken, DeviceGrant (swapped DOT models), SigningKey,
TokenDenial. Says code.*, token.*, key.* events. Hears none.
"""
