"""Claims about the meaning of a request: trailers add nothing to it, and an ambiguous request is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.http.fastpath.buffered_response import BufferedResponse
from app.http.fastpath.protocol import Protocol
from app.http.headers import parse_headers
from tests.http.test_protocol import asgi, spoken
from tests.support.server import Server
from tests.support.wire import Reply, Wire, chunked, close_all, exchange, head

PASSWORD = "a password for these tests"
JSON = "Content-Type: application/json"
WHO = b'{"query":"{ viewer { user { userName } } }"}'
LOGIN = b'{"username":"admin","password":"not the right one"}'
ENDLESS = head("POST /graphql", JSON, "Transfer-Encoding: chunked")
HONEST = {
    "authorization": "Bearer {token}",
    "cookie": "jwtToken={token}",
    "x-forwarded-for": "198.51.100.77",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "elsewhere.example",
    "forwarded": "for=198.51.100.77",
    "x-real-ip": "198.51.100.77",
    "host": "elsewhere.example",
    "origin": "http://localhost",
    "sec-fetch-site": "same-origin",
    "content-type": "text/plain",
    "content-encoding": "gzip",
    "accept": "text/html",
    "x-request-id": "of-the-trailer",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "expect": "100-continue",
    "upgrade": "h2c",
    "if-none-match": "*",
    "ostiary-stats": "1",
    "apollo-require-preflight": "1",
}
"""Trailers with the names of header fields that have a meaning."""

FRAMING = {"content-length": "3", "transfer-encoding": "chunked"}
"""Trailers that would define the end of the request again."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = {"OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD, "OSTIARY_THROTTLE__ENABLED": "false"}
    with Server(tmp_path_factory.mktemp("trailers"), **own) as server:
        server.ready()
        yield server


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    close_all()
    await asyncio.sleep(0)


def _said(reply: Reply) -> tuple[int, bytes, dict[str, str]]:
    """Return the content of a reply, without the parts that differ between replies."""
    return reply.status, reply.body, {**reply.headers, "date": "", "x-request-id": ""}


async def _reply_to(server: Server, path: str, body: bytes, trailers: list[str], *, is_whole: bool) -> Reply:
    begin = head(f"POST {path}", JSON, "Connection: close", "Transfer-Encoding: chunked")
    pieces = [begin, *chunked(body, trailers)]
    return await exchange(server.address, *([b"".join(pieces)] if is_whole else pieces))


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(("path", "body"), [("/graphql", WHO), ("/users/authenticate", LOGIN)])
async def test_a_request_means_the_same_with_trailers(server: Server, path: str, body: bytes, is_whole: bool) -> None:
    token = await server.token("admin", PASSWORD)
    plain = await _reply_to(server, path, body, [], is_whole=is_whole)
    every = [f"{name}: {value.format(token=token)}" for name, value in HONEST.items()]

    for trailers in (*([each] for each in every), every, [each.title() for each in every]):
        reply = await _reply_to(server, path, body, trailers, is_whole=is_whole)

        assert _said(reply) == _said(plain), trailers
        assert reply.headers["x-request-id"] != "of-the-trailer"


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(("path", "body"), [("/graphql", WHO), ("/users/authenticate", LOGIN)])
@pytest.mark.parametrize("trailer", [f"{name}: {value}" for name, value in FRAMING.items()])
async def test_a_trailer_that_says_where_the_request_ends_is_refused(
    server: Server, path: str, body: bytes, trailer: str, is_whole: bool
) -> None:
    reply = await _reply_to(server, path, body, [trailer], is_whole=is_whole)

    assert (reply.status, reply.body) == (400, b"Invalid HTTP request received.")


async def test_a_token_in_a_trailer_changes_nothing(server: Server) -> None:
    token = await server.token("admin", PASSWORD)
    change = b'{"query":"mutation { createUser(input: {userName: \\"trail\\"}) { errors { code } } }"}'
    trailers = [f"Authorization: Bearer {token}", f"Cookie: jwtToken={token}", "Sec-Fetch-Site: same-origin"]

    reply = await _reply_to(server, "/graphql", change, trailers, is_whole=False)
    async with server.client(token) as client:
        users = await client.post("/graphql", json={"query": "{ users { totalCount } }"})

    assert reply.code == "UNAUTHENTICATED"
    assert users.json() == {"data": {"users": {"totalCount": 1}}}


async def test_a_trailer_that_closes_the_connection_closes_it(server: Server) -> None:
    """Otherwise the parser would accept no further request, and the client would wait for its answer."""
    wire = await Wire.opened(server.address)
    await wire.send(ENDLESS, *chunked(WHO, ["Connection: close"]))

    reply = await wire.reply()

    assert reply is not None
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert await wire.rest() == b""


REFUSED = {
    "a length and chunks": [b"Content-Length: 4", b"Transfer-Encoding: chunked"],
    "chunks and a length": [b"Transfer-Encoding: chunked", b"Content-Length: 4"],
    "two lengths": [b"Content-Length: 4", b"Content-Length: 5"],
    "a length twice": [b"Content-Length: 4", b"Content-Length: 4"],
    "a list of lengths": [b"Content-Length: 4, 4"],
    "a signed length": [b"Content-Length: +4"],
    "a negative length": [b"Content-Length: -4"],
    "a length in hexadecimal": [b"Content-Length: 0x4"],
    "a length of nothing": [b"Content-Length: "],
    "a length of two numbers": [b"Content-Length: 4 4"],
    "an enormous length": [b"Content-Length: 99999999999999999999999"],
    "chunks twice": [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
    "chunks in a list twice": [b"Transfer-Encoding: chunked, chunked"],
    "packed chunks": [b"Transfer-Encoding: gzip, chunked"],
    "another coding": [b"Transfer-Encoding: identity"],
    "an unknown coding": [b"Transfer-Encoding: xchunked"],
    "chunks not last": [b"Transfer-Encoding: chunked, identity"],
    "quoted chunks": [b'Transfer-Encoding: "chunked"'],
    "a tab before chunks": [b"Transfer-Encoding: \x0bchunked"],
    "two hosts": [b"Host: b"],
    "a host twice": [b"Host: a"],
    "a continued line": [b"X: a\r\n b"],
    "a coding on a continued line": [b"Transfer-Encoding:\r\n chunked"],
    "a line that ends with LF": [b"X: a\nContent-Length: 4"],
    "a line that ends with CR": [b"X: a\rContent-Length: 4"],
    "a blank before the colon": [b"Content-Length : 4"],
    "a tab before the colon": [b"Transfer-Encoding\t: chunked"],
    "a blank before the name": [b" Content-Length: 4"],
    "NUL in a value": [b"X: a\0b"],
    "NUL in a name": [b"X\0: a"],
    "a control character": [b"X: a\x01"],
    "no colon": [b"X"],
    "no name": [b": a"],
    "a name that is not ASCII": [b"X\xe9: a"],
}
"""Lines of a head that two programs may read differently."""


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("is_whole", [True, False])
async def test_an_ambiguous_request_is_a_400(lines: list[bytes], is_whole: bool) -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\nbody"
    pieces = [request] if is_whole else [request[at : at + 1] for at in range(len(request))]
    seen = []

    async def answer(request: Request) -> Response:
        await http.body(parse_headers(request.scope), request.receive, 1_000)
        seen.append(request)
        return BufferedResponse(b"", 200, "text/plain")

    transport = await spoken(Protocol, asgi(answer), pieces)

    assert seen == []
    assert b"".join(transport.writes).count(b"HTTP/1.1") == 1
    assert b"".join(transport.writes).startswith(b"HTTP/1.1 400 ")


CHUNKS = {
    "a size that ends with LF": b"4\nbody\r\n0\r\n\r\n",
    "a size in C's spelling": b"0x4\r\nbody\r\n0\r\n\r\n",
    "a blank after the size": b"4 \r\nbody\r\n0\r\n\r\n",
    "a negative size": b"-4\r\nbody\r\n0\r\n\r\n",
    "an enormous size": b"fffffffffffffffff\r\nbody\r\n0\r\n\r\n",
    "no end of a chunk": b"4\r\nbodyX0\r\n\r\n",
    "no size": b"\r\nbody\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
async def test_an_ambiguous_chunk_is_a_400(chunks: bytes) -> None:
    seen = []

    async def answer(request: Request) -> Response:
        seen.append(await http.body(parse_headers(request.scope), request.receive, 1_000))
        return BufferedResponse(b"", 200, "text/plain")

    transport = await spoken(Protocol, asgi(answer), [ENDLESS, chunks])

    assert seen == []
    assert b"".join(transport.writes).startswith(b"HTTP/1.1 400 ")


UPGRADES = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("fields", [UPGRADES, [*UPGRADES, "Connection: close"], UPGRADES[1:], ["Upgrade: websocket"]])
async def test_the_body_of_a_request_that_wishes_another_protocol_is_no_request(
    fields: list[str], is_whole: bool
) -> None:
    """Java's client and `curl --http2` request an upgrade: the server declines it, and reads the body."""
    inner = head("GET /inner")
    seen = []

    async def answer(request: Request) -> Response:
        seen.append((request.url.path, await http.body(parse_headers(request.scope), request.receive, 1_000)))
        return BufferedResponse(b"", 200, "text/plain")

    begin = head("POST /outer", *fields, f"Content-Length: {len(inner)}")
    await spoken(Protocol, asgi(answer), [begin + inner] if is_whole else [begin, inner])

    assert seen == [("/outer", inner)]


async def test_answers_are_written_in_the_order_of_their_requests() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return BufferedResponse(b"the first", 200, "text/plain")

    transport = await spoken(Protocol, asgi(slow), [head("GET /") + b"what is this\r\n\r\n"])

    written = b"".join(transport.writes)
    assert written.startswith(b"HTTP/1.1 200 OK")
    assert written.count(b"HTTP/1.1") == 1
    assert b"connection: close" in written
