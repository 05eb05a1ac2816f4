"""Tenants: the realm, its settings and branding, its state and its own host.

Tables owned: Realm. Says realm.* events. Hears none.
"""
