"""Measures what protocol operations cost in CPU-milliseconds, beside a peer and against a budget (bin/bench).

CPU time is the figure to trust: it is read from /proc for the whole process tree of each server, its database
included, and hardly moves with what else the machine does; wall-clock figures do. Every response is checked,
and the servers take turns within one run, so that both meet the same machine.
"""
