"""Client applications: registration, redirect URIs, secrets, scopes and resource servers.

Tables owned: Application (swapped DOT model), RedirectUri, ClientSecret, ResourceServer, Scope. Says application.*,
secret.*, scope.* and resource_server.* events. Hears none.
"""
