"""One GraphQL request from its text to its answer: who asks, what is asked, and the stock executor that answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from time import perf_counter
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, OperationType, execute
from graphql.execution.values import get_variable_values
from starlette.requests import Request

from app import auth
from app.auth import Viewer
from app.errors import Forbidden, TimedOut
from app.executor.documents import Documents, Invalid, Known
from app.schema import errors
from app.schema.context import Context
from app.schema.http import Answer, GraphQLRequest
from app.services import accounts
from app.services.accounts import Desk
from app.statements import Statements
from app.telemetry import facts
from app.web import Cookie, MethodNotAllowed, note_origin, same_origin

QUERY_SECONDS = 15
MUTATION_SECONDS = 60
STATS_HEADER = "ostiary-stats"

LONGEST_NAME = 100
"""Characters of an operation's name that the log tells."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What answering needs from the house. `cookie_name` and `lifetime` (seconds) are of the cookie that login sets."""

    schema: GraphQLSchema
    documents: Documents
    desk: Desk
    statements: Statements
    cookie_name: str
    lifetime: int

    async def __call__(self, request: Request, asked: GraphQLRequest) -> Answer:
        """Answer one request; raises `Refusal` and `Invalid`, which the protocol edge writes."""
        note_origin(request, "GRAPHQL")
        began = perf_counter()
        viewer, by_cookie = await self._viewer(request)
        known = self.documents.known(asked.query, asked.operation_name)
        _note(known)
        self.documents.weigh(known, asked.variables)
        _check_method(request, asked, known, by_cookie)
        context = Context(self.desk, self.statements, viewer)
        body = await self._executed(known, asked.variables, context)
        if STATS_HEADER in request.headers:
            spent = round((perf_counter() - began) * 1000, 3)
            stats = {"statements": facts.current().statements, "durationMs": spent, "cost": known.cost}
            body["extensions"] = {"stats": stats}
        return Answer(body, cookies=self._cookies(context, request))

    async def _viewer(self, request: Request) -> tuple[Viewer, bool]:
        """Who asks, and whether a cookie says so; raises Unauthenticated for a header that is no longer good."""
        shown = auth.presented(request.headers.get("authorization"), request.cookies.get(self.cookie_name))
        viewer = await accounts.identified(self.desk, shown)
        facts.current().viewer = viewer.user_id
        return viewer, shown is not None and shown.by_cookie and viewer.user_id is not None

    async def _executed(self, known: Known, variables: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Run the stock executor; raises `Invalid` for variables that do not fit."""
        coerced = get_variable_values(self.schema, known.operation.variable_definitions or (), dict(variables))
        if isinstance(coerced, list):
            raise Invalid(coerced, "BAD_USER_INPUT")
        is_query = known.operation.operation is OperationType.QUERY
        try:
            async with asyncio.timeout(QUERY_SECONDS if is_query else MUTATION_SECONDS):
                result = execute(
                    self.schema,
                    known.document,
                    context_value=context,
                    variable_values=dict(variables),
                    operation_name=None if known.operation.name is None else known.operation.name.value,
                )
                if isawaitable(result):
                    result = await result
        except TimeoutError:
            raise TimedOut("The operation took too long and was stopped. Ask for less at once.") from None
        assert isinstance(result, ExecutionResult)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.formatted(result.errors)
        return body

    def _cookies(self, context: Context, request: Request) -> list[Cookie]:
        secure = request.url.scheme == "https"
        if context.session is not None:
            return [Cookie(self.cookie_name, context.session.token, self.lifetime, secure)]
        return [Cookie(self.cookie_name, "", 0, secure)] if context.signed_out else []


def _note(known: Known) -> None:
    about, name = facts.current(), known.operation.name
    about.kind = known.operation.operation.value
    about.operation = None if name is None else name.value[:LONGEST_NAME]


def _check_method(request: Request, asked: GraphQLRequest, known: Known, by_cookie: bool) -> None:
    """Changes come by POST, and with a cookie only from our own pages."""
    if known.operation.operation is OperationType.QUERY:
        return
    if asked.is_get:
        raise MethodNotAllowed("A change is asked for by POST.")
    if by_cookie and not same_origin(request):
        raise Forbidden(
            "A change with a cookie must come from this site's own pages; send the token in a header instead."
        )
