"""Object types, their fields and their connections."""
