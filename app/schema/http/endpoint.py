"""The one address of the API: GraphQL over HTTP, from method and headers to status and body."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import Refusal
from app.executor.documents import Invalid
from app.schema import errors
from app.schema.http import accept, reading, writing
from app.schema.http.messages import Answer, GraphQLRequest
from app.telemetry import facts
from app.web import MethodNotAllowed

BODY_LIMIT = 1_048_576
PATH = "/graphql"
METHODS = ("GET", "HEAD", "POST")
OFFERS = (accept.GRAPHQL, accept.JSON)
PAGE_TOO = (*OFFERS, accept.HTML)

Answerer = Callable[[Request, GraphQLRequest], Awaitable[Answer]]


class GraphQLEndpoint:
    """An ASGI application around a function that answers; the function may raise `Refusal` and `Invalid`."""

    def __init__(self, answer: Answerer, body_limit: int = BODY_LIMIT, *, has_page: bool = True) -> None:
        self._answer = answer
        self._body_limit = body_limit
        self._has_page = has_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        about = facts.current()
        about.face, about.path = "graphql", PATH
        response = await self._respond(Request(scope, receive), scope["method"])
        await response(scope, receive, send)

    async def _respond(self, request: Request, method: str) -> Response:
        media = accept.JSON
        try:
            if method not in METHODS:
                raise MethodNotAllowed("Only GET and POST are answered here.", METHODS)
            found = None if method == "POST" else reading.parameters(request)
            media = accept.negotiated(request, self._offers(found))
            if media == accept.HTML:
                return writing.page()
            return writing.answered(await self._answered(request, found), media)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Refusal as refusal:
            return writing.refused(refusal, media)
        except Exception as error:
            return writing.failed(error, media)

    def _offers(self, found: Mapping[str, str] | None) -> tuple[str, ...]:
        """What may be answered; the page is for who asks for nothing in the URL."""
        is_bare = found is not None and "query" not in found and "extensions" not in found
        return PAGE_TOO if is_bare and self._has_page else OFFERS

    async def _answered(self, request: Request, found: dict[str, str] | None) -> Answer:
        if found is None:
            asked = await reading.from_body(request, self._body_limit)
        else:
            asked = reading.from_url(found)
        try:
            return await self._answer(request, asked)
        except Invalid as invalid:
            return Answer({"errors": errors.formatted(invalid.errors)}, executed=False)
