"""Consents: what people let applications use, and taking it back for them."""
