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
from app.graphql.http import response as responses
from app.graphql.http.messages import GraphQLAnswer, GraphQLRequest
from app.http import MethodNotAllowed, parse_headers
from app.http.exact_json import RequestJson
from app.observability import request_stats

DEFAULT_LIMITS = RequestLimits()
PATH = "/graphql"
METHODS = ("GET", "HEAD", "POST")
OFFERS = (accept.GRAPHQL, accept.JSON)
JSON_ONLY = (accept.JSON,)
OFFERS_WITH_PAGE = (*OFFERS, accept.HTML)

MAX_CACHED_BODIES = 1_000
MAX_CACHED_BODY_BYTES = 4_096
"""Maximum number of cached request bodies, and of bytes of one: clients repeat the same requests."""

Answerer = Callable[[Scope, GraphQLRequest], Awaitable[GraphQLAnswer]]
PageWriter = Callable[[Scope], Response]
"""Returns the page for browsers."""


class GraphQLEndpoint:
    """An ASGI application around a function that answers requests. The function may raise `Refusal` and `Invalid`.

    Without a `page`, browsers get the API too.
    """

    def __init__(
        self, answer: Answerer, *, page: PageWriter | None = None, limits: RequestLimits = DEFAULT_LIMITS
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._page = page
        max_bytes = MAX_CACHED_BODIES * MAX_CACHED_BODY_BYTES // 4
        self._recent: AudienceLRU[bytes, GraphQLRequest] = AudienceLRU(
            MAX_CACHED_BODIES, max_bytes, MAX_CACHED_BODY_BYTES, _length
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stats, headers, method = request_stats.current_request(), parse_headers(scope), scope["method"]
        stats.api, stats.path, media = "graphql", PATH, accept.JSON
        try:
            if method == "POST":
                media = accept.negotiate(headers, OFFERS)
                http.media_type(headers, JSON_ONLY)
                body = await http.body(headers, receive, self._limits.body_bytes)
                response = responses.answer_response(await self._post(scope, body), media)
            elif method not in METHODS:
                raise MethodNotAllowed("Only GET and POST are supported at this address.", METHODS)
            else:
                parameters = request.parameters(scope["query_string"])
                media = accept.negotiate(headers, self._offers(parameters))
                if media == accept.HTML and self._page is not None:
                    response = self._page(scope)
                else:
                    response = responses.answer_response(await self._get(scope, parameters), media)
        except ClientDisconnect:
            response = Response(status_code=400)  # the client is gone
        except Exception as error:
            response = responses.interrupted_response(error, media)
        await response(scope, receive, send)

    def _offers(self, parameters: Mapping[str, str]) -> tuple[str, ...]:
        """Return the media types for a GET request. The page is an offer only if the URL has no operation."""
        is_bare = "query" not in parameters and "extensions" not in parameters
        return OFFERS_WITH_PAGE if is_bare and self._page is not None else OFFERS

    async def _get(self, scope: Scope, parameters: dict[str, str]) -> GraphQLAnswer:
        operation = request.from_url(parameters)
        if "variables" in parameters:
            text = b'{"variables":%s}' % parameters["variables"].encode()
            operation.body = RequestJson(text, {"variables": operation.variables})
        self._require_few_values(operation, len(parameters.get("variables", "")))
        try:
            return await self._answer(scope, operation)
        except Invalid as invalid:
            return self._reject(invalid)

    async def _post(self, scope: Scope, body: bytes) -> GraphQLAnswer:
        # The viewer is not authenticated yet; `use` records afterwards whether the user of the entry is signed in.
        cached = self._recent.find(body) if len(body) <= MAX_CACHED_BODY_BYTES else None
        operation = cached or request.from_body(body, self._limits.variable_values)
        if cached is None:
            self._require_few_values(operation, len(body))
        try:
            answer = await self._answer(scope, operation)
        except Invalid as invalid:
            return self._reject(invalid)
        if operation.ready is not None:
            self._recent.use(body, operation, is_signed_in=request_stats.current_request().viewer is not None)
        return answer

    def _require_few_values(self, operation: GraphQLRequest, size: int) -> None:
        operation.size = size
        http.require_few_values(operation.variables, self._limits.variable_values, size)

    def _reject(self, invalid: Invalid) -> GraphQLAnswer:
        return GraphQLAnswer(
            {"errors": errors.format_errors(invalid.errors, maximum=self._limits.errors, sent=invalid.sent)},
            executed=False,
        )


def _length(body: bytes, _: GraphQLRequest) -> int:
    return len(body)
