"""Claims about our protocol: it writes the same bytes as uvicorn's own, in one write where possible."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app import http
from app.http.fastpath.buffered_response import BufferedResponse
from app.http.fastpath.protocol import Protocol
from app.http.fastpath.router import ProxyGate
from app.http.headers import CONNECTION, parse_headers
from tests.support.server import Server, graphql

Answerer = Callable[[Request], Awaitable[Response]]

LONG = b"long " * 40_000
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WHO = "{ viewer { user { userName } } }"


class Transport:
    """A transport that records its writes, and whether it was closed after them."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in {"peername", "sockname"} else default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def write_eof(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


async def spoken(
    protocol: type[HttpToolsProtocol], app: ASGIApp, pieces: Sequence[bytes], *, hangs_up: bool = False
) -> Transport:
    """Return the transport after the protocol received these pieces, one after the other."""
    config = uvicorn.Config(
        app, http=protocol, lifespan="off", log_config=None, access_log=False, proxy_headers=False, interface="asgi3"
    )
    config.load()
    state, transport = ServerState(), Transport()
    state.default_headers = [(b"date", b"now")]
    connection: Any = protocol(config=config, server_state=state, app_state={})
    connection.connection_made(transport)
    for piece in pieces:
        if transport.is_closed:  # a real one delivers nothing more
            break
        connection.data_received(piece)
        for _ in range(5):
            await asyncio.sleep(0)
    if hangs_up:
        connection.connection_lost(None)
    async with asyncio.timeout(5):
        while state.tasks:
            await asyncio.gather(*state.tasks)
    if not hangs_up:
        connection.connection_lost(None)
    return transport


def asgi(answer: Answerer) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):
            response = await answer(Request(scope, receive))
            await response(scope, receive, send)

    return app


async def echo(request: Request) -> Response:
    read = await http.body(parse_headers(request.scope), request.receive, 1_000_000)
    return BufferedResponse(b"[%s] %b" % (request.method.encode(), read), 200, "text/plain", {"Vary": "Accept"})


async def unread(request: Request) -> Response:
    return BufferedResponse(b"I did not look", 202, "text/plain")


async def with_cookie(request: Request) -> Response:
    response = BufferedResponse(b"sweet", 200, "text/plain")
    response.set_cookie("a", "b")
    return response


async def in_parts(request: Request) -> Response:
    return StreamingResponse(iter([b"one", b"two"]), 200)


async def long(request: Request) -> Response:
    return BufferedResponse(LONG, 200, "text/plain")


async def nothing(request: Request) -> Response:
    return Response(None, 204)


async def last(request: Request) -> Response:
    return BufferedResponse(b"no more", 413, "text/plain", {"Connection": "close"})


async def broken(request: Request) -> Response:
    raise ValueError("on purpose")


PIECES = {
    "POST": [POST],
    "GET": [GET],
    "HEAD": [GET.replace(b"GET", b"HEAD")],
    "a body in pieces": [POST[:-3], b"o", b"dy"],
    "a head in pieces": [POST[:20], POST[20:]],
    "chunks": [b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n", b"2\r\ndy\r\n0\r\n\r\n"],
    "an old client": [GET.replace(b"1.1", b"1.0")],
    "who closes": [GET.replace(b"Host: a", b"Host: a\r\nConnection: close")],
    "who waits for leave": [POST.replace(b"Host: a", b"Host: a\r\nExpect: 100-continue")[:-4], b"body"],
    "one after the other": [POST, GET, POST],
    "all at once": [POST + GET + POST],
    "more than is buffered": [
        b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(LONG),
        LONG[:99_999],
        LONG[99_999:],
    ],
    "no HTTP": [b"what is this\r\n\r\n"],
}


@pytest.mark.parametrize("answer", [echo, unread, with_cookie, in_parts, long, nothing, last, broken])
@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
async def test_the_same_bytes_are_answered(answer: Answerer, pieces: list[bytes]) -> None:
    theirs = await spoken(HttpToolsProtocol, asgi(answer), pieces)
    ours = await spoken(Protocol, asgi(answer), pieces)
    assert b"".join(ours.writes) == b"".join(theirs.writes)
    assert ours.is_closed == theirs.is_closed
    assert ours.writes


@pytest.mark.parametrize("pieces", [[POST], [GET], [POST, GET, POST], [POST + GET]])
async def test_an_answer_is_one_write(pieces: list[bytes]) -> None:
    ours = await spoken(Protocol, asgi(echo), pieces)
    assert len(ours.writes) == b"".join(pieces).count(b"HTTP/1.1")
    assert all(each.startswith(b"HTTP/1.1 200 OK\r\ndate: now\r\n") for each in ours.writes)


async def test_who_hangs_up_before_the_answer_is_written_nothing() -> None:
    seen = []

    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.05)
        seen.append(await request.is_disconnected())
        return BufferedResponse(b"too late", 200, "text/plain")

    for protocol in (HttpToolsProtocol, Protocol):
        assert (await spoken(protocol, asgi(slow), [POST], hangs_up=True)).writes == []
    assert seen == [True] * 2


async def test_who_hangs_up_in_the_middle_of_a_body_is_noticed() -> None:
    assert (await spoken(Protocol, asgi(echo), [POST[:-2]], hangs_up=True)).writes == []


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b=c", "a\nb", "a\0b", "a\x7f"])
def test_no_header_has_the_end_of_a_line_in_it(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        BufferedResponse(b"", 200, "text/plain", {"Location": value})


async def test_buffered_responses_have_the_headers_for_other_sites_too() -> None:
    app = http.cors(asgi(echo), ["https://other.test"])
    requests = [POST.replace(b"Host: a", b"Host: a\r\nOrigin: https://other.test"), POST]
    theirs = await spoken(HttpToolsProtocol, app, requests)
    ours = await spoken(Protocol, app, requests)
    assert b"".join(ours.writes) == b"".join(theirs.writes)
    assert b"".join(ours.writes).count(b"access-control-allow-origin: https://other.test") == 1


async def test_headers_are_looked_through_again_where_they_are_others() -> None:
    seen: list[Any] = []

    async def look(request: Request) -> Response:
        seen.append((parse_headers(request.scope), request.scope[CONNECTION]))
        return BufferedResponse(b"", 200, "text/plain")

    other = POST.replace(b"Host: a", b"Host: b")
    await spoken(Protocol, asgi(look), [POST, POST, other, POST])

    assert [headers[b"host"] for headers, _ in seen] == [b"a", b"a", b"b", b"a"]
    assert [one[0] is two[0] for one, two in pairwise(seen)] == [True, False, False]
    assert len({id(connection) for _, connection in seen}) == 1
    await spoken(Protocol, asgi(look), [POST])
    assert seen[-1][0] is not seen[-2][0], "another connection knows nothing"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        ([], b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https", "http 127.0.0.1"),
        (["127.0.0.1/32"], b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https", "https 192.0.2.7"),
        (["127.0.0.1/32"], b"X-Forwarded-Proto: https", "https 127.0.0.1"),
        (["127.0.0.1/32"], b"X-Real-Ip: 192.0.2.7", "http 127.0.0.1"),
        (["127.0.0.0/8"], b"X-Forwarded-For: 198.51.100.1, 192.0.2.7, 127.0.0.2", "http 192.0.2.7"),
        (["10.0.0.1/32"], b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https", "http 127.0.0.1"),
    ],
)
async def test_a_proxy_is_believed_if_it_is_trusted(trusted: list[str], forwarded: bytes, expected: str) -> None:
    async def say(request: Request) -> Response:
        assert request.client is not None
        return BufferedResponse(f"{request.url.scheme} {request.client.host}".encode(), 200, "text/plain")

    app = Starlette(routes=[Route("/", say, methods=["POST"])])
    app.middleware_stack = app.build_middleware_stack()
    requests = [POST, POST.replace(b"Host: a", b"Host: a\r\n" + forwarded)]

    writes = (await spoken(Protocol, ProxyGate(app, trusted), requests)).writes

    assert [each.rpartition(b"\r\n")[2].decode() for each in writes] == ["http 127.0.0.1", expected]


async def test_each_request_on_one_connection_has_its_own_user(tmp_path: Path) -> None:
    create = 'mutation { createUser(input: {userName: "ann", password: "a password for ann"}) { user { id } } }'
    with Server(tmp_path) as server:
        server.ready()
        root = await server.token("admin", "password")
        async with server.client(root) as client:
            await graphql(client, create)
        ann = await server.token("ann", "a password for ann")
        seen = []
        async with server.client() as client:
            for token in (root, root, ann, ann, root, None, ann):
                headers = {} if token is None else {"authorization": f"Bearer {token}"}
                response = await client.post("/graphql", json={"query": WHO}, headers=headers)
                user = response.json()["data"]["viewer"]["user"]
                seen.append(user and user["userName"])
            await client.post(
                "/graphql",
                json={"query": "mutation { logout { __typename } }"},
                headers={"authorization": f"Bearer {ann}"},
            )
            after = await client.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {ann}"})
    assert seen == ["admin", "admin", "ann", "ann", "admin", None, "ann"]
    assert after.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
