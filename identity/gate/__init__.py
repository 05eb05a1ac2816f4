"""One gate: is this realm, person, session, application and consent usable now; and who is the actor.

Tables owned: none. Asked by every endpoint, socket and job.
"""
