"""A long comparison of the two executors."""
