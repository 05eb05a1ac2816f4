"""Tests of the area."""
