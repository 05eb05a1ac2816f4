"""Text messages: who carries them, what they may cost, and what became of the latest."""
