"""Development only: the mail and SMS that this realm has sent, readable in the console."""
