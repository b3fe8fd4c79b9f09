"""An HTTP client that calls the application directly: httpx takes seven times as long for a request of a test."""

import asyncio
import json as standard_json
import re
from functools import lru_cache
from typing import Any

import httpx
from httpx import USE_CLIENT_DEFAULT

BASE = "http://testserver"
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")
"""A path that is sent as it is written."""


class DirectClient(httpx.AsyncClient):
    """A client that sends requests of a plain path, with JSON and headers, straight to the application.

    The application receives the same messages as through `httpx.ASGITransport`; whatever else a request has, httpx
    sends it.
    """

    def __init__(self, app: Any) -> None:
        super().__init__(transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url=BASE)
        self._app = app

    async def request(
        self, method: str, url: Any, *, json: Any = None, headers: Any = None, **others: Any
    ) -> httpx.Response:
        if method == "HEAD" or not self._is_simple(url, headers, others):
            return await super().request(method, url, json=json, headers=headers, **others)
        body, sent = self._message(method, json, headers or {})
        call = _Call(body)
        try:
            await self._app(_scope(method, url, sent), call.receive, call.send)
        except Exception:
            call.fail()
        assert call.status is not None, "the application has not answered"
        assert call.is_complete, "the application has not sent the end of its answer"
        response = httpx.Response(call.status, headers=call.headers, stream=httpx.ByteStream(b"".join(call.parts)))
        response.request = _request(method, url)
        response.read()
        if "set-cookie" in response.headers:
            self.cookies.extract_cookies(response)
        return response

    def _is_simple(self, url: Any, headers: Any, others: dict[str, Any]) -> bool:
        return (
            isinstance(url, str)
            and _PLAIN_PATH.fullmatch(url) is not None
            and (headers is None or (type(headers) is dict and all(type(value) is str for value in headers.values())))
            and all(value is None or value is USE_CLIENT_DEFAULT for value in others.values())
            and not self.cookies.jar
        )

    def _message(self, method: str, json: Any, headers: dict[str, str]) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Return the body and the headers as httpx writes them."""
        body, content = b"", {}
        if json is not None:
            body = standard_json.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
            content = {b"content-length": b"%d" % len(body), b"content-type": b"application/json"}
        elif method in {"POST", "PUT", "PATCH"}:
            content = {b"content-length": b"0"}
        own = {name.lower().encode(): value.encode("ascii") for name, value in headers.items()}
        usual = {name.lower(): value for name, value in self.headers.raw}
        return body, [*({b"host": b"testserver"} | content | usual | own).items()]


class _Call:
    """The messages of one request and its answer."""

    def __init__(self, body: bytes) -> None:
        self._waiting = [(body, True), (b"", False)]
        self._end = asyncio.Event()
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        if self._waiting:
            body, more = self._waiting.pop(0)
            return {"type": "http.request", "body": body, "more_body": more}
        await self._end.wait()
        return {"type": "http.disconnect"}

    @property
    def is_complete(self) -> bool:
        return self._end.is_set()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            assert self.status is None, "the application answers twice"
            self.status, self.headers = message["status"], message.get("headers", [])
        elif message["type"] == "http.response.body":
            assert self.status is not None, "a body comes before its status"
            assert not self.is_complete, "a body comes after the end"
            self.parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._end.set()

    def fail(self) -> None:
        """End the answer of an application that has raised an exception: 500, unless it had begun another one."""
        self.status = self.status or 500
        self._end.set()


def _scope(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.upper(),
        "headers": headers,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "server": ("testserver", None),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }


@lru_cache(1000)
def _request(method: str, path: str) -> httpx.Request:
    """Return a request for those who ask an answer for its own, without the body."""
    return httpx.Request(method, BASE + path)
