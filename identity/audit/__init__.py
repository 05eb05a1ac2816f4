"""What happened, append-only: immutable audit rows with sealed personal data, and the outbox of their consumers.

Tables owned: AuditEvent, Outbox, SubjectKey, Lease. Says nothing itself but `access.denied`; every room records here.
"""
