"""Tests of passwords, keys and tokens."""
