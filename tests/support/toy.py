"""A small API behind the real protocol edge, for claims about the edge alone."""

from collections.abc import Callable
from typing import Any

import httpx
import orjson
from graphql import GraphQLError, OperationType, build_schema, execute_sync
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Scope

from app.config import Limits
from app.domain import errors
from app.graphql import errors as replies
from app.graphql.documents.cache import DocumentCache
from app.graphql.http import GraphQLAnswer, GraphQLRequest, routes
from app.http import Cookie, MethodNotAllowed, parse_headers

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

SDL = """
scalar Any
type Query { hello(name: String): String, echo(value: Any): Any, count(of: Int): Int, fails(how: String): String }
type Mutation { hello: String }
"""
SCHEMA = build_schema(SDL)
DOCUMENTS = DocumentCache(SCHEMA, Limits())

FAILURES: dict[str, Callable[[], Exception]] = {
    "unknown": lambda: errors.Unauthenticated("Sign in."),
    "forbidden": lambda: errors.Forbidden("Not for you."),
    "limited": lambda: errors.RateLimited("Slowly.", 7),
    "missing": lambda: errors.NotFound("No such thing."),
    "many": lambda: errors.Problems([errors.InvalidInput("One."), errors.Conflict("Two.")]),
    "graphql": lambda: GraphQLError("Inside."),
    "coded": lambda: GraphQLError("Outside.", extensions={"code": "OWN"}),
    "bug": lambda: RuntimeError("the secret is 42"),
}


class Root:
    def hello(self, _info: Any, name: str = "you") -> str:
        return f"Hello {name}"

    def echo(self, _info: Any, value: Any = None) -> Any:
        return value

    def count(self, _info: Any, of: int) -> Any:
        return "no number" if of < 0 else of

    def fails(self, _info: Any, how: str) -> str:
        raise FAILURES[how]()


async def answer(scope: Scope, request: GraphQLRequest) -> GraphQLAnswer:
    if (how := parse_headers(scope).get(b"x-raise")) is not None:
        raise FAILURES[how.decode()]()
    if request.sha256 is not None:
        return GraphQLAnswer({"data": {"persisted": request.query}})
    validated = DOCUMENTS.lookup(request.query, request.operation_name)
    if request.is_get and validated.operation.operation is not OperationType.QUERY:
        raise MethodNotAllowed("A change is asked for by POST.")
    result = execute_sync(SCHEMA, validated.document, Root(), None, request.variables, request.operation_name)
    body: dict[str, Any] = {"data": result.data} if result.data is not None else {}
    if result.errors:
        body["errors"] = replies.format_errors(result.errors)
    cookie = Cookie("session", "abc", max_age=60)
    return GraphQLAnswer(body, executed="data" in body, cookies=[cookie], headers={"X-Own": "yes"})


def page(scope: Scope) -> Response:
    """The page for browsers."""
    return Response("<!doctype html>", headers={"Vary": "Accept"}, media_type="text/html")


def client(**options: Any) -> httpx.AsyncClient:
    """A client that names no types by itself."""
    app = Starlette(routes=routes(answer, SDL, **options))
    http_client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")
    del http_client.headers["accept"]
    return http_client


async def post(http: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post("/graphql", content=content, headers={"content-type": JSON} | named)


def code(reply: httpx.Response) -> str:
    """Every refusal, whatever its status, is GraphQL JSON of one error with a message."""
    body = reply.json()
    assert list(body) == ["errors"]
    (error,) = body["errors"]
    assert error["message"]
    return str(error["extensions"]["code"])


def media(reply: httpx.Response) -> str:
    return reply.headers["content-type"].partition(";")[0]
