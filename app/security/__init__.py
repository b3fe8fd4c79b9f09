"""Hashing, signing and authentication; no rights."""
