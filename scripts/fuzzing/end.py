"""Check that a token is still valid for an administrator: scripts/fuzzing/end.py ADDRESS TOKEN."""

import sys

import httpx

address, token = sys.argv[1:]
reply = httpx.get(f"{address}/users", headers={"authorization": f"Bearer {token}"}, trust_env=False)
sys.exit(not reply.is_success)
