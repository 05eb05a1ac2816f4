"""Signals become alerts that people can act on.

Tables owned: Alert. Says alert.* events. Hears sign-in failures, token reuse and spent budgets (config/wiring.py).
"""
