"""People: who they are, how they get in, what they hold, what they did; inviting, locking, disabling, deleting."""
