"""Real processes on real sockets: daemon, extensions, commands."""
