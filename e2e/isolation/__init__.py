"""Isolation tests that grow by themselves: crawler, SQL recorder, authorization matrix."""
