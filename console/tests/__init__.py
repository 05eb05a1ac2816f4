"""Tests of what the console areas share."""
