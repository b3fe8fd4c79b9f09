"""Tests of `app/db/copying`."""
