"""Version 1 of the wire API; a field is never reused."""
