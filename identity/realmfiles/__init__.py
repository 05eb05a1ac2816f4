"""Realms as files: a YAML file is applied through the rooms' commands, and a realm is written as one.

Tables owned: none. Says what the commands say. Hears none.
"""
