"""Tests of answers that are completed with cached rows."""
