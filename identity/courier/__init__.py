"""The outbox of mail and SMS: messages are queued in the caller's transaction and sent by the worker.

Tables owned: Message, SmsProvider. Says message.*, sms.* and sms_provider.* events. Hears none.
"""
