"""What every room stands on: actor, permissions, tenancy, events, errors, crypto, clock, origin.

Tables owned: RateCounter, IdempotencyKey. Says no events, hears none, and knows no other room.
"""
