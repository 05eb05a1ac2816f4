"""What happened, append-only: immutable audit rows with sealed personal data, and the outbox of their consumers.

Tables owned: AuditEvent, Outbox, SubjectKey, Lease, AuditExport and its chunks. Says `access.denied` and what becomes
of exports; every room records here.
"""
