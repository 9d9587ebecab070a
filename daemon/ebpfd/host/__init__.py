"""The daemon's running parts, on one asyncio loop; they know values, not wires."""
