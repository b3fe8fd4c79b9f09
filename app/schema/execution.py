"""One GraphQL request from its text to its answer: who asks, what is asked, and the stock executor that answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from time import perf_counter
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, OperationType, execute
from graphql.execution.values import VariableValues
from starlette.requests import Request

from app import auth, schema, web
from app.auth import Viewer
from app.errors import Forbidden, TimedOut, Unauthenticated
from app.executor.changes import Changes
from app.executor.documents import Documents, Known
from app.executor.lane import Lane
from app.executor.persisted import Persisted
from app.executor.plan import Planner
from app.executor.run import Compiled, Stock
from app.executor.variables import Variables
from app.schema import errors
from app.schema.context import Context
from app.schema.http import Answer, GraphQLRequest
from app.services import accounts
from app.services.accounts import Desk
from app.settings import Settings
from app.statements import Statements
from app.telemetry import facts
from app.web import Cookie, MethodNotAllowed, from_foreign_page, note_origin, same_origin

SECONDS_A_DAY = 86_400
STATS_HEADER = b"ostiary-stats"

LONGEST_NAME = 100
"""Characters of an operation's name that the log tells."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What answering needs from the house. New documents of strangers and of the signed-in have a lane each."""

    schema: GraphQLSchema
    documents: Documents
    desk: Desk
    statements: Statements
    settings: Settings
    variables: Variables
    compiled: Compiled | None = None
    persisted: Persisted = field(default_factory=Persisted)
    lanes: tuple[Lane, Lane] = field(default_factory=lambda: (Lane(), Lane()))
    changes: Changes | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.compiled is not None:
            changes = Changes(Planner(self.schema, self.statements, schema.converted))
            object.__setattr__(self, "changes", changes)

    async def __call__(self, request: Request, asked: GraphQLRequest) -> Answer:
        """Answer one request; raises `Refusal` and `Invalid`, which the protocol edge writes."""
        began = perf_counter()
        viewer, by_cookie = await self._viewer(request)
        known = await self._known(asked, viewer)
        _note(known)
        if known.operation.operation is not OperationType.QUERY:
            note_origin(request, "GRAPHQL")
            _check_change(request, asked, by_cookie)
        if asked.query and asked.sha256:
            self.persisted.keep(asked.sha256, asked.query, viewer.user_id)
        body, session = await self._executed(known, asked.variables, viewer)
        if STATS_HEADER in web.heads(request.scope):
            spent = round((perf_counter() - began) * 1000, 3)
            stats = {"statements": facts.current().statements, "durationMs": spent, "cost": known.cost}
            body["extensions"] = {"stats": stats}
        return Answer(body, headers=_told(request), cookies=self._cookies(session, request))

    async def require_schema_shown(self, request: Request) -> None:
        """Refuse who is not shown the schema; raises Unauthenticated and Forbidden."""
        viewer, _ = await self._viewer(request)
        if self._is_shown_schema(viewer):
            return
        if self.settings.introspection == "signed-in":
            raise Unauthenticated("Sign in to see the schema.")
        raise Forbidden("This server does not show its schema.")

    def _is_shown_schema(self, viewer: Viewer) -> bool:
        whom = self.settings.introspection
        return whom == "everyone" or (whom == "signed-in" and viewer.user_id is not None)

    async def _known(self, asked: GraphQLRequest, viewer: Viewer) -> Known:
        """The operation that is asked for; what nobody has asked before is looked at in its turn."""
        text = asked.query or self.persisted.text(asked.sha256 or "", viewer.user_id)
        question, shown = (text, asked.operation_name, asked.variables), self._is_shown_schema(viewer)
        if (known := self.documents.ready(*question, introspection=shown)) is not None:
            return known
        async with self.lanes[viewer.user_id is not None].turn():
            return self.documents.operation(*question, introspection=shown)

    async def _viewer(self, request: Request) -> tuple[Viewer, bool]:
        """Who asks, and whether a cookie says so; raises Unauthenticated for a header that is no longer good."""
        cookie = request.cookies.get(self.settings.auth_cookie_name) if b"cookie" in web.heads(request.scope) else None
        shown = auth.presented(web.head(request.scope, b"authorization"), cookie)
        viewer = await accounts.identified(self.desk, shown)
        facts.current().viewer = viewer.user_id
        return viewer, shown is not None and shown.by_cookie and viewer.user_id is not None

    async def _executed(
        self, known: Known, variables: Mapping[str, Any], viewer: Viewer
    ) -> tuple[dict[str, Any], Context | None]:
        """The body, and the context if the stock executor had one; raises `Invalid` for variables that do not fit."""
        hidden = not self._is_shown_schema(viewer)
        coerced = self.variables.coerced(known, variables, hide_suggestions=hidden)
        is_query = known.operation.operation is OperationType.QUERY
        seconds = self.settings.query_seconds if is_query else self.settings.mutation_seconds
        waits = self.desk.database.waits
        try:
            if is_query and not waits and (data := await self._compiled(known, coerced, viewer)) is not None:
                return {"data": data}, None  # nothing that a limit could have stopped: no other task had its turn
            async with asyncio.timeout(seconds):
                if is_query and waits and (data := await self._compiled(known, coerced, viewer)) is not None:
                    return {"data": data}, None
                context = Context(self.desk, self.statements, viewer)
                if not is_query and (data := await self._changed(known, coerced, context)) is not None:
                    return {"data": data}, context
                return await self._stock(known, variables, context, hidden), context
        except TimeoutError:
            raise TimedOut("The operation took too long and was stopped. Ask for less at once.") from None

    async def _stock(
        self, known: Known, variables: Mapping[str, Any], context: Context, hidden: bool
    ) -> dict[str, Any]:
        found = execute(
            self.schema,
            known.document,
            context_value=context,
            variable_values=dict(variables),
            operation_name=None if known.operation.name is None else known.operation.name.value,
            hide_suggestions=hidden,
        )
        result = await found if isawaitable(found) else found
        assert isinstance(result, ExecutionResult)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.formatted(result.errors)
        return body

    async def _changed(self, known: Known, variables: VariableValues, context: Context) -> dict[str, Any] | None:
        """The data of an answer to a change, unless the stock executor has to make it, or to tell its outcome."""
        found: dict[str, Any] | Stock = Stock("setting")
        if self.changes is not None:
            found = await self.changes.answer(known, variables, context)
        about = facts.current()
        if isinstance(found, Stock):
            about.executor, about.cause = "stock", found.cause
            return None
        about.executor = "compiled"
        return found

    async def _compiled(self, known: Known, variables: VariableValues, viewer: Viewer) -> dict[str, Any] | None:
        """The data of an answer, unless the stock executor has to give it."""
        found: dict[str, Any] | Stock = Stock("setting")
        database = self.desk.database
        if self.compiled is not None:
            found = await self.compiled.answer(known, variables, viewer, database, database.clock())
        about = facts.current()
        if isinstance(found, Stock):
            about.executor, about.cause = "stock", found.cause
            return None
        about.executor = "compiled"
        return found

    def _cookies(self, context: Context | None, request: Request) -> list[Cookie]:
        """The cookie of a session that began or ended; another site's page shall not sign a visitor in here."""
        if context is None or (context.session is None and not context.signed_out):
            return []
        name, secure = self.settings.auth_cookie_name, request.url.scheme == "https"
        if context.session is not None and not from_foreign_page(request):
            lifetime = self.settings.token_expiration_in_days * SECONDS_A_DAY
            return [Cookie(name, context.session.token, lifetime, secure)]
        return [Cookie(name, "", 0, secure)] if context.signed_out else []


def _told(request: Request) -> dict[str, str]:
    """Which executor answered, and why, for those who ask for figures."""
    about = facts.current()
    if STATS_HEADER not in web.heads(request.scope):
        return {}
    return {"Ostiary-Executor": f'{about.executor}; cause="{about.cause}"' if about.cause else about.executor}


def _note(known: Known) -> None:
    about, name = facts.current(), known.operation.name
    about.kind = known.operation.operation.value
    about.operation = None if name is None else name.value[:LONGEST_NAME]


def _check_change(request: Request, asked: GraphQLRequest, by_cookie: bool) -> None:
    """Changes come by POST, and with a cookie only from our own pages."""
    if asked.is_get:
        raise MethodNotAllowed("A change is asked for by POST.")
    if by_cookie and not same_origin(request):
        raise Forbidden(
            "A change with a cookie must come from this site's own pages; send the token in a header instead."
        )
