"""Types, their fields and their lists."""
