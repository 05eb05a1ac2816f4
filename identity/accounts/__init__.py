"""People: the account, its names, profile and life cycle, and invitations.

Tables owned: User, Invitation. Says user.*, invitation.* and password.* events. Hears none.
"""
