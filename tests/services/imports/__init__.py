"""Claims about moving in from other registries."""
