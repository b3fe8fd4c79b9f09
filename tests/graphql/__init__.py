"""Tests of GraphQL requests."""
