"""The outbox of mail and SMS: messages are queued in the caller's transaction and sent by the worker.

Tables owned: Message. Says message.* events. Hears none.
"""
