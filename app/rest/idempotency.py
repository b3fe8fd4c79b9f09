"""The header `Idempotency-Key` of changing routes: a repeated call gets the stored response and changes nothing.

A handler reads its response after the commit. So the transaction of the change writes a row without a response, which
says that the change was made, and the response is added afterwards. A repeated call that finds no response, since the
server stopped in between, is told that the change was made.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.db import Transaction
from app.domain.errors import ChangeMade, InvalidInput, Refusal
from app.domain.viewer import Viewer
from app.http.deadlines import CHANGE_MADE
from app.rest.errors import HEADERS
from app.rest.responses import RejectedResponse
from app.services import mutation_keys
from app.services.app_context import AppContext
from app.services.mutation_keys import KeyedChange, Outcome, StoredOutcome

HEADER = "Idempotency-Key"

PATH = (HEADER,)

MAX_BODY_BYTES = 65_536
"""Size of a stored body. A change with a larger response is repeated as one whose response was lost."""

STORED_HEADERS = ("content-type", "location")
"""Headers of a response that are stored with it; the others are the same in all responses."""

WAIT_SECONDS, PAUSE_SECONDS = 5.0, 0.05
"""Seconds that a repeated call waits for the response of the first one, and between two reads of it."""

ABOUT = (
    "Idempotency key of a signed-in user: 1 to 128 printable ASCII characters, such as a UUID. The response of a "
    "successful change is stored with it for 24 hours. The same key with the same call then changes nothing and gets "
    "that response; another call with the key is 409. If the response was lost or exceeds 64 KiB, the error says that "
    "the change was made (500). A rejected call can be sent again with its key."
)
"""The description of the header."""


class RestChange(KeyedChange):
    """A change whose row is stored before its response is known.

    `is_undone` says that it had no effect, so that the row was rolled back with it and the response needs its own.
    """

    is_undone = False

    @asynccontextmanager
    async def _open(self, transaction: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        async with transaction as tx:
            await self._lock_and_check(tx)
            yield tx
            await self._store(tx, {})
        self.is_undone = tx.is_undone

    async def complete(self, outcome: Outcome) -> None:
        """Add the response to the row of the change, or store both if there is none."""
        await (self._store_alone(outcome) if self.is_undone else super().complete(outcome))

    def open(self, transaction: AbstractAsyncContextManager[Transaction]) -> AbstractAsyncContextManager[Transaction]:
        """Open the transaction of the change. The end of the block commits it, with a row without a response."""
        return self._open(transaction)


async def answer(
    app: AppContext, request: Request, viewer: Viewer, action: str, values: Any, work: Callable[[], Awaitable[Response]]
) -> Response:
    """Run a change with the key of the request, or return the stored response. Raises InvalidInput and ChangeMade."""
    keys = request.headers.getlist(HEADER)
    if len(keys) > 1:
        raise InvalidInput(f"The header {HEADER} is sent more than once. Send it once.", PATH)
    arguments = app.database, app.input_digest, viewer, keys[0], action, values, PATH
    change = mutation_keys.keyed_change(*arguments, kind=RestChange)
    response = await change.answer(work, _pack)
    if isinstance(response, StoredOutcome):
        return _unpack(response.outcome or await _wait_for_response(change))
    if (outcome := _pack(response)) is not None and len(response.body) <= MAX_BODY_BYTES:
        with suppress(Refusal):  # the client has its response, and a repeated call is told that the change was made
            await change.complete(outcome)
    return response


def refuse(request: Request) -> None:
    """Raise InvalidInput for a request with a key to a route whose response has a token, which is not stored."""
    if HEADER in request.headers:
        raise InvalidInput(f"This operation takes no {HEADER}, since its response has a token.", PATH)


async def _wait_for_response(change: KeyedChange) -> Mapping[str, Any]:
    loop = asyncio.get_running_loop()
    end = loop.time() + WAIT_SECONDS
    while loop.time() < end:
        stored = await change.find()
        if stored is not None and stored.outcome:
            return stored.outcome
        await asyncio.sleep(PAUSE_SECONDS)
    raise ChangeMade(CHANGE_MADE)


def _pack(response: Response) -> dict[str, Any] | None:
    if response.status_code >= 400 or isinstance(response, RejectedResponse):  # noqa: PLR2004 - statuses are names
        return None
    body = bytes(response.body).decode()
    return {
        "status": response.status_code,
        "body": body,
        "headers": {name: response.headers[name] for name in STORED_HEADERS if name in response.headers},
    }


def _unpack(stored: Mapping[str, Any]) -> Response:
    return Response(stored["body"].encode() or None, stored["status"], {**HEADERS, **stored["headers"]})
