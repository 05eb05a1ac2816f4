"""Signals become alerts that people can act on.

Tables owned: Alert. Says alert.* events. Hears sign-in failures and token reuse (wired in config/wiring.py).
"""
