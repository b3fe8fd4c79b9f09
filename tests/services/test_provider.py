"""Claims about asking the identity provider: the requests it receives, and the effects of its responses."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from gzip import compress
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from app import db
from app.domain.errors import SettingsError, Unavailable
from app.http.middleware import TRACEPARENT_RE
from app.observability import request_stats, traces
from app.observability.request_stats import RequestStats
from app.services import identity_provider as asking
from tests.support.certificates import CERTIFICATE, self_signed
from tests.support.changes import unchanged
from tests.support.factories import Make
from tests.support.provider import FACES, PASSWORD, PATH, Provider, Speech, answer, over_graphql, over_rest

SECRET_WORD = "inside"
TOKEN = "a token of theirs"
CREDENTIALS = (PASSWORD, PASSWORD.replace(" ", "+"), TOKEN, TOKEN.replace(" ", "+"))


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider({"ann": {}}, {TOKEN: {"username": "ann"}}) as server:
        yield server


@pytest.fixture
def overrides(provider: Provider) -> dict[str, str]:
    return {"OSTIARY_EXTERNAL_AUTH_URL": provider.url}


@contextmanager
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Besides the refusal the log has one line on the problem, no trace, and nothing that was sent or received."""
    with caplog.at_level(logging.INFO, "app"):
        caplog.clear()
        yield
    records = [(each.levelname, each.exc_info) for each in caplog.records if each.name != "ostiary.sign_in"]
    assert records == [("WARNING", None)]
    assert "provider" in caplog.text
    assert not [word for word in (SECRET_WORD, *CREDENTIALS) if word in caplog.text]


async def _is_unavailable(client: httpx.AsyncClient, provider: Provider, caplog: pytest.LogCaptureFixture) -> str:
    """The text of the refusal: the same over both APIs and for a password and a token, and nothing leaks."""
    texts = set()
    for log_in in FACES.values():
        for fields in ({"userName": "ann", "password": PASSWORD}, {"token": TOKEN}):
            with _quiet(caplog):
                reply = await log_in(client, **fields)
            assert reply.code == "SERVICE_UNAVAILABLE"
            texts.add(reply.text)
    (text,) = texts
    assert not [word for word in (SECRET_WORD, "127.0.0.1", str(provider.port), *CREDENTIALS) if word in text]
    return text


async def test_it_is_told_what_the_documented_providers_expect(client: httpx.AsyncClient, provider: Provider) -> None:
    for log_in in FACES.values():
        assert (await log_in(client, userName="ann", password=PASSWORD)).code == ""
        assert (await log_in(client, token=TOKEN)).code == ""

    assert [each.line for each in provider.heard] == [f"POST {PATH} HTTP/1.1"] * 4
    assert [each.form for each in provider.heard] == [
        [("username", "ann"), ("password", PASSWORD)],
        [("token", TOKEN)],
    ] * 2
    for each in provider.heard:
        assert each.headers["accept"] == "application/json"
        assert each.headers["content-type"] == "application/x-www-form-urlencoded"
        assert each.headers["accept-encoding"] == "identity"


async def test_it_gets_the_traceparent_of_the_request_if_it_is_valid(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for value in (valid, "00-0-0-01"):
        await client.post("/users/authenticate", data={"token": TOKEN}, headers={"traceparent": value})

    assert [each.headers.get("traceparent") for each in provider.heard] == [valid, None]


async def test_it_gets_the_span_of_its_request_or_that_the_trace_is_not_sampled(provider: Provider) -> None:
    client, stats, trace = (
        asking.IdentityProvider(provider.url),
        RequestStats("", "POST"),
        traces.start("", 1.0, "POST"),
    )
    assert trace is not None
    request_stats.CURRENT.set(stats)  # of this test alone, which is a task
    traces.CURRENT.set(trace.spans[0])
    await client.ask(token=TOKEN)
    traces.CURRENT.set(None)
    stats.is_unsampled = True
    await client.ask(token=TOKEN)
    await client.close()

    traced, unsampled = (each.headers["traceparent"] for each in provider.heard)
    assert traced == f"00-{trace.id}-{trace.spans[1].id}-01"
    assert unsampled.endswith("-00")
    assert TRACEPARENT_RE.fullmatch(unsampled.encode())


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Say nothing at all."""


async def _stop_midway(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, b'{"a": "inside"}')[:-5])
    await writer.drain()


AWAY: dict[str, bytes | Speech] = {
    "hangs up": _hang_up,
    "stops midway": _stop_midway,
    "does not speak HTTP": b"220 inside " + PASSWORD.encode() + b"\r\n\r\n",
    "fails": answer(500, b'{"error": "inside"}'),
    "is not there": answer(503, b"inside"),
    "sends on": answer(302, b"inside", Location="/inside"),
    "sends on with the form": answer(307, b"inside", Location="/inside"),
    "says not modified": answer(304, b""),
}
NONSENSE = {
    "HTML": answer(200, b"<p>inside</p>", Content_Type="text/html"),
    "a list": answer(200, b'["inside"]'),
    "a text": answer(200, b'"inside"'),
    "null": answer(200, b"null"),
    "nothing": answer(204, b""),
    "half an object": answer(200, b'{"inside": '),
    "no UTF-8": answer(200, b'{"inside": "\xff"}'),
    "packed": answer(200, compress(b"{}"), Content_Encoding="gzip"),
}
UNFIT = {
    "a quota that is text": b'{"maxStorageMB": "inside"}',
    "a quota below 0": b'{"maxStorageMB": -1}',
    "roles that are no list": b'{"roles": "inside"}',
    "roles that are no names": b'{"roles": ["inside", 5]}',
    "a role with a slash": b'{"roles": ["in/inside"]}',
    "deep nesting": b'{"inside": ' + b"[" * 400 + b"]" * 400 + b"}",
    "a number too large": b'{"inside": 1e999}',
}


@pytest.mark.parametrize("failure", AWAY)
async def test_a_provider_that_does_not_work_is_a_503(
    client: httpx.AsyncClient, provider: Provider, database: db.Database, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    provider.instead = AWAY[failure]

    async with unchanged(database):
        text = await _is_unavailable(client, provider, caplog)

    assert text.endswith("Try again later.")
    assert {each.line for each in provider.heard} == {f"POST {PATH} HTTP/1.1"}  # and nobody was sent on


@pytest.mark.parametrize("failure", [*NONSENSE, *UNFIT, "endless"])
async def test_nonsense_is_a_503_that_says_so(
    client: httpx.AsyncClient, provider: Provider, database: db.Database, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    provider.instead = _endless if failure == "endless" else NONSENSE.get(failure) or _accepted(UNFIT[failure])

    async with unchanged(database):
        text = await _is_unavailable(client, provider, caplog)

    assert text.startswith("The identity provider's answer cannot be used: ")


def _accepted(body: bytes) -> bytes:
    """Return a response that is valid for a token too, except for its one defect."""
    return answer(200, b'{"username": "ann", ' + body[1:])


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\n\r\n{")
    while True:
        writer.write(b" " * 1_000)
        await writer.drain()


async def _silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Said\r\nContent-Length: 60000\r\n\r\n{")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("speech", [_silent, _dripping])
async def test_a_provider_that_takes_too_long_is_not_waited_for(
    app: Starlette, client: httpx.AsyncClient, provider: Provider, caplog: pytest.LogCaptureFixture, speech: Speech
) -> None:
    app.state.answering.app.provider.seconds = 0.2
    provider.instead = speech

    text = await _is_unavailable(client, provider, caplog)

    assert text == "The identity provider does not answer. Try again later."


async def test_requests_that_time_out_do_not_block_later_ones(provider: Provider) -> None:
    identity_provider = asking.IdentityProvider(provider.url, seconds=0.3)
    provider.instead = _silent
    crowd = [identity_provider.ask(username="ann", password=PASSWORD) for _ in range(3 * asking.MAX_CONNECTIONS)]

    replies = await asyncio.gather(*crowd, return_exceptions=True)
    identity_provider.seconds, provider.instead = 30, None
    after = await identity_provider.ask(username="ann", password=PASSWORD)
    await identity_provider.close()

    assert {type(reply) for reply in replies} == {Unavailable}
    assert after == {}


async def test_a_crowd_asks_the_provider_by_turns(provider: Provider) -> None:
    async def hold(writer: asyncio.StreamWriter) -> None:
        if len(provider.heard) == asking.MAX_CONNECTIONS:
            full.set()
        await go_on.wait()
        writer.write(answer(200, b"{}"))
        await writer.drain()

    full, go_on = asyncio.Event(), asyncio.Event()
    identity_provider = asking.IdentityProvider(provider.url, seconds=30)
    provider.instead = hold
    crowd = [
        asyncio.create_task(identity_provider.ask(username="ann", password=PASSWORD))
        for _ in range(2 * asking.MAX_CONNECTIONS)
    ]
    await full.wait()
    await asyncio.sleep(0.1)  # one more would be heard by now
    at_once = len(provider.heard)
    go_on.set()

    assert await asyncio.gather(*crowd) == [{}] * len(crowd)
    assert at_once == asking.MAX_CONNECTIONS
    await identity_provider.close()


async def test_a_provider_that_is_away_is_a_503(
    client: httpx.AsyncClient, provider: Provider, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    await over_rest(client, userName="ann", password=PASSWORD)
    await provider.stop()

    async with unchanged(database):
        text = await _is_unavailable(client, provider, caplog)

    assert text == "The identity provider does not answer. Try again later."


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
async def test_whatever_refuses_the_person_is_our_401(
    client: httpx.AsyncClient, make: Make, provider: Provider, database: db.Database, status: int
) -> None:
    await make.user("ann")
    refusals = [await log_in(client, userName="nobody", password=PASSWORD) for log_in in FACES.values()]
    provider.instead = answer(status, b'{"error": "inside"}')

    async with unchanged(database):
        replies = [await log_in(client, userName="ann", password=PASSWORD) for log_in in FACES.values()]
        by_token = [await log_in(client, token=TOKEN) for log_in in FACES.values()]

    assert replies == refusals
    assert {reply.code for reply in (*replies, *by_token)} == {"UNAUTHENTICATED"}
    assert by_token[0] == replies[0]


async def test_the_operator_is_told_of_a_refusal_that_is_not_about_a_password(
    client: httpx.AsyncClient, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.instead = answer(404, b"inside")

    with _quiet(caplog):
        await over_rest(client, userName="ann", password=PASSWORD)

    assert "status=404" in caplog.text


UNUSABLE = ["", "x" * 1_025, f"{PASSWORD}\0", "x" * 2_000]


async def test_unusable_credentials_are_refused_without_a_request(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    replies = [await over_graphql(client, userName="ann", password=password) for password in UNUSABLE]
    replies += [await over_graphql(client, userName=name, password=PASSWORD) for name in UNUSABLE]
    replies += [await over_graphql(client, token=token) for token in ("", "x" * 16_385, "\0")]

    assert [reply.code for reply in replies] == ["UNAUTHENTICATED"] * 11
    assert provider.heard == []


async def test_no_cookie_goes_from_one_sign_in_to_the_next(client: httpx.AsyncClient, provider: Provider) -> None:
    provider.instead = answer(200, b"{}", Set_Cookie="session=inside; Path=/")

    for _ in range(2):
        assert (await over_rest(client, userName="ann", password=PASSWORD)).code == ""

    assert len(provider.heard) == 2
    assert not any("cookie" in each.headers for each in provider.heard)


async def test_no_proxy_of_the_environment_hears_a_password(
    client: httpx.AsyncClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Provider() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        identity_provider = asking.IdentityProvider(provider.url)
        assert await identity_provider.ask(username="ann", password=PASSWORD) == {}
        await identity_provider.close()

        assert proxy.heard == []


async def test_a_server_with_an_untrusted_certificate_receives_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Provider({"ann": {}}, tls=self_signed(tmp_path)) as provider:
        identity_provider = asking.IdentityProvider(provider.url)
        with _quiet(caplog), pytest.raises(Unavailable):
            await identity_provider.ask(username="ann", password=PASSWORD)
        await identity_provider.close()

        assert provider.heard == []
    assert "certificate" in caplog.text


async def test_a_certificate_that_this_machine_trusts_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Provider({"ann": {}}, tls=self_signed(tmp_path)) as provider:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CERTIFICATE))
        identity_provider = asking.IdentityProvider(provider.url)

        assert await identity_provider.ask(username="ann", password=PASSWORD) == {}
        await identity_provider.close()


def test_an_address_that_is_none_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="ExternalAuthUrl"):
        asking.IdentityProvider("http://exa\u00admple..org:80:80/")
