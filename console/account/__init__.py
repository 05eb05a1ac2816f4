"""Account self-service: what a signed-in person sees and changes of the own account, at /account/ of the realm."""
