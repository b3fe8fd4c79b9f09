"""Tests of HTTP for both APIs."""
