"""What people allowed applications to have.

Tables owned: Consent. Says consent.* events. Hears none.
"""
