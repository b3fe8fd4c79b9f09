"""Shortcuts of uvicorn's protocol, bound to its version."""
