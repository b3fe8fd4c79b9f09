"""Claims about `HttpProtocol: plain`: uvicorn's own protocol serves, without the request budget."""

from pathlib import Path

import pytest

from tests.support.server import Server, graphql

WHO = "{ viewer { user { userName } } }"
TOO_MANY = {f"x-{number}": "1" for number in range(201)}


@pytest.mark.parametrize(("protocol", "status"), [("fast", 431), ("plain", 200)])
async def test_both_protocols_answer_and_only_one_limits_a_head(tmp_path: Path, protocol: str, status: int) -> None:
    with Server(tmp_path, OSTIARY_HTTP_PROTOCOL=protocol) as server:
        server.ready()
        token = await server.token("admin", "password")
        async with server.client(token) as client:
            answers = [await graphql(client, WHO) for _ in range(3)]
            page = await client.get("/graphql", headers={"accept": "text/html"})
            many = await client.post("/graphql", json={"query": WHO}, headers=TOO_MANY)
        ended = await server.stopped()

    assert answers == [{"data": {"viewer": {"user": {"userName": "admin"}}}}] * 3
    assert (page.status_code in {200, 503}, page.headers["x-frame-options"]) == (True, "DENY")  # 503 without a build
    assert many.status_code == status
    assert ended.code == 0
