"""The live feed: rows pushed to open consoles over websockets, and sockets closed when their authority ends."""
