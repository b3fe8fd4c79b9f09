"""Trials of requests that a server must refuse behind badly configured proxies; see `scripts/proxies`."""
