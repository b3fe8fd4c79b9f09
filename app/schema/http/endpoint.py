"""The one address of the API: GraphQL over HTTP, from method and headers to status and body."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app import web
from app.errors import Refusal
from app.executor.documents import Invalid
from app.executor.recent import Recent
from app.schema import errors
from app.schema.http import accept, reading, writing
from app.schema.http.messages import Answer, GraphQLRequest
from app.telemetry import facts
from app.web import MethodNotAllowed

BODY_LIMIT = 1_048_576
PATH = "/graphql"
METHODS = ("GET", "HEAD", "POST")
OFFERS = (accept.GRAPHQL, accept.JSON)
JSON_ALONE = (accept.JSON,)
PAGE_TOO = (*OFFERS, accept.HTML)

REMEMBERED = 1_000
LONGEST_REMEMBERED = 4_096
"""How many bodies are known again, and of how many bytes: pages ask the same for everybody, and again and again."""

Answerer = Callable[[Request, GraphQLRequest], Awaitable[Answer]]


class GraphQLEndpoint:
    """An ASGI application around a function that answers; the function may raise `Refusal` and `Invalid`."""

    def __init__(self, answer: Answerer, body_limit: int = BODY_LIMIT, *, has_page: bool = True) -> None:
        self._answer = answer
        self._body_limit = body_limit
        self._has_page = has_page
        room = REMEMBERED * LONGEST_REMEMBERED // 4
        self._recent: Recent[bytes, GraphQLRequest] = Recent(REMEMBERED, room, LONGEST_REMEMBERED, _length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        about, request, method = facts.current(), Request(scope, receive), scope["method"]
        about.face, about.path, media = "graphql", PATH, accept.JSON
        try:
            if method not in METHODS:
                raise MethodNotAllowed("Only GET and POST are answered here.", METHODS)
            found = None if method == "POST" else reading.parameters(request)
            media = accept.negotiated(request, OFFERS if found is None else self._offers(found))
            if media == accept.HTML:
                response = writing.page()
            else:
                response = writing.answered(await self._answered(request, found), media)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        except Refusal as refusal:
            response = writing.refused(refusal, media)
        except Exception as error:
            response = writing.failed(error, media)
        await response(scope, receive, send)

    def _offers(self, found: Mapping[str, str]) -> tuple[str, ...]:
        """What may be answered to a GET; the page is for who asks for nothing in the URL."""
        is_bare = "query" not in found and "extensions" not in found
        return PAGE_TOO if is_bare and self._has_page else OFFERS

    async def _answered(self, request: Request, found: dict[str, str] | None) -> Answer:
        body, known = b"", None
        if found is not None:
            asked = reading.from_url(found)
        else:
            web.media_type(request, JSON_ALONE)
            body = await web.body(request, self._body_limit)
            known = self._recent.get(body) if len(body) <= LONGEST_REMEMBERED else None
            asked = known or reading.from_body(body)
        try:
            answer = await self._answer(request, asked)
        except Invalid as invalid:
            return Answer({"errors": errors.formatted(invalid.errors)}, executed=False)
        if known is None and asked.ready is not None and body:
            self._recent.put(body, asked)
        return answer


def _length(body: bytes, _: GraphQLRequest) -> int:
    return len(body)
