"""PostgreSQL as Django has it, with a liveness check that costs no round trip."""
