"""The endpoint `/graphql`: from method and headers to status and body."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app import http
from app.caching import AudienceLRU
from app.config import RequestLimits
from app.graphql import errors
from app.graphql.documents.cache import Invalid
from app.graphql.http import accept, request
from app.graphql.http import response as writing
from app.graphql.http.messages import GraphQLAnswer, GraphQLRequest
from app.http import MethodNotAllowed, parse_headers
from app.observability import request_stats

DEFAULT_LIMITS = RequestLimits()
PATH = "/graphql"
METHODS = ("GET", "HEAD", "POST")
OFFERS = (accept.GRAPHQL, accept.JSON)
JSON_ALONE = (accept.JSON,)
PAGE_TOO = (*OFFERS, accept.HTML)

REMEMBERED = 1_000
LONGEST_REMEMBERED = 4_096
"""Maximum number of cached request bodies, and of bytes of one: clients repeat the same requests."""

Answerer = Callable[[Scope, GraphQLRequest], Awaitable[GraphQLAnswer]]


class GraphQLEndpoint:
    """An ASGI application around a function that answers requests. The function may raise `Refusal` and `Invalid`."""

    def __init__(
        self,
        answer: Answerer,
        *,
        has_page: bool = True,
        limits: RequestLimits = DEFAULT_LIMITS,
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._has_page = has_page
        room = REMEMBERED * LONGEST_REMEMBERED // 4
        self._recent: AudienceLRU[bytes, GraphQLRequest] = AudienceLRU(REMEMBERED, room, LONGEST_REMEMBERED, _length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        about, found, method = request_stats.current_request(), parse_headers(scope), scope["method"]
        about.api, about.path, media = "graphql", PATH, accept.JSON
        try:
            if method == "POST":
                media = accept.negotiate(found, OFFERS)
                http.media_type(found, JSON_ALONE)
                body = await http.body(found, receive, self._limits.body_bytes)
                response = writing.answer_response(await self._post(scope, body), media)
            elif method not in METHODS:
                raise MethodNotAllowed("Only GET and POST are supported at this address.", METHODS)
            else:
                given = request.parameters(scope["query_string"])
                media = accept.negotiate(found, self._offers(given))
                is_page = media == accept.HTML
                response = writing.page() if is_page else writing.answer_response(await self._get(scope, given), media)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        except Exception as error:
            response = writing.interrupted_response(error, media)
        await response(scope, receive, send)

    def _offers(self, found: Mapping[str, str]) -> tuple[str, ...]:
        """Return the media types for a GET request. The page is an offer only if the URL has no operation."""
        is_bare = "query" not in found and "extensions" not in found
        return PAGE_TOO if is_bare and self._has_page else OFFERS

    async def _get(self, scope: Scope, given: dict[str, str]) -> GraphQLAnswer:
        asked = request.from_url(given)
        self._require_few_values(asked, len(given.get("variables", "")))
        try:
            return await self._answer(scope, asked)
        except Invalid as invalid:
            return self._invalid(invalid)

    async def _post(self, scope: Scope, body: bytes) -> GraphQLAnswer:
        # Who asks is not known yet: who has used an entry is noted afterwards.
        known = self._recent.find(body) if len(body) <= LONGEST_REMEMBERED else None
        asked = known or request.from_body(body)
        if known is None:
            self._require_few_values(asked, len(body))
        try:
            answer = await self._answer(scope, asked)
        except Invalid as invalid:
            return self._invalid(invalid)
        if asked.ready is not None:
            self._recent.use(body, asked, is_signed_in=request_stats.current_request().viewer is not None)
        return answer

    def _require_few_values(self, asked: GraphQLRequest, size: int) -> None:
        asked.size = size
        http.require_few_values(asked.variables, self._limits.variable_values, size)

    def _invalid(self, invalid: Invalid) -> GraphQLAnswer:
        return GraphQLAnswer(
            {"errors": errors.format_errors(invalid.errors, most=self._limits.errors, sent=invalid.sent)},
            executed=False,
        )


def _length(body: bytes, _: GraphQLRequest) -> int:
    return len(body)
