"""Claims about tokens after a restart of the real server: valid ones stay valid, revoked ones stay revoked."""

from pathlib import Path
from typing import Any

from tests.support.server import Server, graphql

WHO = "{ viewer { user { userName } } }"


async def _who(server: Server, token: str) -> Any:
    async with server.client(token) as client:
        response = await client.post("/graphql", json={"query": WHO})
    return response.json()["data"]["viewer"]["user"]["userName"] if response.is_success else response.status_code


async def test_tokens_outlive_a_restart_as_they_were(tmp_path: Path) -> None:
    with Server(tmp_path, OSTIARY_TOKEN_ALGORITHM="EdDSA") as server:
        server.ready()
        tokens = [await server.token("admin", "password") for _ in range(2)]
        async with server.client(tokens[0]) as client:
            create = 'mutation { createApiToken(input: {name: "%s"}) { token apiToken { id } } }'
            created = [(await graphql(client, create % name))["data"]["createApiToken"] for name in ("a", "b")]
            revoke = 'mutation { revokeApiToken(input: {apiToken: "%s"}) { errors { code } } }'
            await graphql(client, revoke % created[0]["apiToken"]["id"])
            await graphql(client, "mutation { logout { errors { code } } }")
        tokens += [each["token"] for each in created]
        before = [await _who(server, token) for token in tokens]
        await server.stopped()
    with Server(tmp_path, OSTIARY_TOKEN_ALGORITHM="EdDSA") as server:
        server.ready()
        after = [await _who(server, token) for token in tokens]
        ended = await server.stopped()

    assert before == after == [401, "admin", 401, "admin"]
    assert not [token for token in tokens if token in ended.out + ended.err]
