"""Ways in, on allauth: adapters, forms, the realm-bound backend, lock-out.

Tables owned: none. Says signin.* events. Hears none.
"""
