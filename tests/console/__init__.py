"""Tests of the web console in a browser, and of the scripts that build it."""
