"""Tests of the database interface."""
