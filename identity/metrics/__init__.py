"""Counters and series for charts, counted from events.

Tables owned: MetricBucket. Says none. Hears the events that it counts (wired in config/wiring.py).
"""
