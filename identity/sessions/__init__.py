"""Signed-in state: one row is the browser session and the OIDC session (`sid`) in one.

Tables owned: Session, SessionApplication. Says session.* events. Hears none.
"""
