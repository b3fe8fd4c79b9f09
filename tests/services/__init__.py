"""Tests of services, through both APIs."""
