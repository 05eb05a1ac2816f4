"""The Security page: the queue of alerts and what can be done about one."""
