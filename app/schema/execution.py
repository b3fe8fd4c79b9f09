"""One GraphQL request from its text to its answer: who asks, what is asked, and which executor answers."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from inspect import isawaitable
from time import perf_counter
from typing import Any, TypeVar

from graphql import ExecutionResult, Executor, GraphQLSchema, default_field_resolver, default_type_resolver
from graphql.execution.collect_fields import FragmentDetails
from starlette.requests import Request
from starlette.types import Scope

from app import web
from app.auth import Presented, Viewer
from app.deadlines import STOPPED, Times
from app.errors import Forbidden, TimedOut, Unauthenticated
from app.executor.canonical import Sent
from app.executor.changes import Changes
from app.executor.documents import Asker, Documents, Invalid, Known
from app.executor.lane import SIGNED_IN, Lane
from app.executor.persisted import Persisted
from app.executor.plans import Stock
from app.executor.run import Compiled
from app.executor.variables import Variables
from app.schema import errors
from app.schema.context import Context
from app.schema.http import Answer, GraphQLRequest, Ready
from app.schema.serial import SerialExecutor
from app.services.accounts import Desk
from app.settings import Settings
from app.statements import Statements
from app.telemetry import facts
from app.telemetry.facts import Facts
from app.web import Cookie, MethodNotAllowed, from_foreign_page

SECONDS_A_DAY = 86_400
SETTING = Stock("setting")
FREE_SIZE = 8_192
"""Bytes of a request whose values may be used as often as its document says so: they are few."""

STATS_HEADER = b"ostiary-stats"

Done = TypeVar("Done")


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
    changes: Changes | None = None
    persisted: Persisted = field(default_factory=Persisted)
    lanes: tuple[Lane, Lane] = field(default_factory=lambda: (Lane(), Lane(terms=SIGNED_IN)))

    async def __call__(self, scope: Scope, asked: GraphQLRequest) -> Answer:
        """Answer one request; raises `Refusal` and `Invalid`, which the protocol edge writes."""
        began, about = perf_counter(), facts.current()
        shown = web.presented(scope, self.settings.auth_cookie_name)
        viewer = await web.identified(self.desk, shown)
        hidden, ready = not self._is_shown_schema(viewer), asked.ready
        if ready is None or ready.hidden is not hidden:
            known, sent = await self._known(asked, viewer, hidden)
            ready = self._readied(scope, asked, known, sent, (shown, viewer, hidden))
        else:
            self.documents.hits += 1
            about.kind, about.operation = ready.known.kind, ready.known.name
        body, context = await self._executed(ready, viewer, about)
        headers = {}
        if STATS_HEADER in web.heads(scope):
            spent = round((perf_counter() - began) * 1000, 3)
            stats = {"statements": about.statements, "durationMs": spent, "cost": ready.known.cost}
            body["extensions"], headers = {"stats": stats}, _told(about)
        return Answer(body, headers=headers, cookies=self._cookies(context, Request(scope)) if context else ())

    async def require_schema_shown(self, request: Request) -> None:
        """Refuse who is not shown the schema; raises Unauthenticated and Forbidden."""
        viewer = await web.identified(self.desk, web.presented(request.scope, self.settings.auth_cookie_name))
        if self._is_shown_schema(viewer):
            return
        if self.settings.introspection == "signed-in":
            raise Unauthenticated("Sign in to see the schema.")
        raise Forbidden("This server does not show its schema.")

    def _is_shown_schema(self, viewer: Viewer) -> bool:
        whom = self.settings.introspection
        return whom == "everyone" or (whom == "signed-in" and viewer.user_id is not None)

    async def _known(self, asked: GraphQLRequest, viewer: Viewer, hidden: bool) -> tuple[Known, Sent]:
        """The operation that is asked for, and its text; what nobody has asked before is looked at in its turn."""
        text = asked.query or self.persisted.text(asked.sha256 or "", viewer.user_id)
        asker = Asker(introspection=not hidden, is_signed_in=viewer.user_id is not None)
        question = text, asked.operation_name, asked.variables
        known = self.documents.ready(*question, asker=asker)
        if known is None:
            async with self.lanes[asker.is_signed_in].turn() as charge:
                known = await self.documents.read_operation(*question, asker=asker, charge=charge)
        return known, Sent(text, known.text)

    def _readied(
        self, scope: Scope, asked: GraphQLRequest, known: Known, sent: Sent, by: tuple[Presented | None, Viewer, bool]
    ) -> Ready:
        """What may be run; remembered with what was asked, if it is a query and does not hang on who asks."""
        about, (shown, viewer, hidden) = facts.current(), by
        about.kind, about.operation = known.kind, known.name
        if known.kind != "query":
            web.note_origin(request := Request(scope), "GRAPHQL")
            if asked.is_get:
                raise MethodNotAllowed("A change is asked for by POST.")
            web.require_own_page(request, shown, viewer)
        if asked.query and asked.sha256:
            self.persisted.keep(asked.sha256, asked.query, viewer.user_id)
        if asked.size > FREE_SIZE:
            web.require_few_uses(asked.variables, known.uses(), self.settings.request_limits.variable_values)
        try:
            variables = self.variables.coerced(known, asked.variables, hide_suggestions=hidden)
        except Invalid as invalid:
            invalid.sent = sent
            raise
        ready = Ready(known, variables, hidden, sent)
        if known.kind == "query" and asked.sha256 is None:
            asked.ready = ready
        return ready

    async def _executed(self, ready: Ready, viewer: Viewer, about: Facts) -> tuple[dict[str, Any], Context | None]:
        """The body, and the context of all but planned queries."""
        known, coerced, database = ready.known, ready.variables, self.desk.database
        is_query, context, deadline = known.kind == "query", None, None
        found: dict[str, Any] | Stock = SETTING
        if is_query and self.compiled is not None:
            planned = self.compiled.answer(known, coerced, viewer, database, database.clock())
            # Where others have their turns only while something long is read, the door stops that itself.
            found = await (_limited(planned, deadline := self._deadline(known)) if database.waits else planned)
        elif not is_query:
            times = Times(self._deadline(known), self.settings.query_seconds)
            context, deadline = self._context(viewer, times), None
            if self.changes is not None:
                found = await self.changes.answer(known, coerced, context)
        if type(found) is dict:
            about.executor = "compiled"
            return {"data": found}, context
        assert isinstance(found, Stock)
        about.executor, about.cause = "stock", found.cause
        if context is None:
            context = self._context(viewer)
            context.freshness = viewer.query_freshness
            stock = self._stock(ready, context)
            return await _limited(stock, deadline or self._deadline(known)), context
        body = await self._stock(ready, context)
        if context.times.stopped is not None and not about.made:
            raise context.times.stopped
        return body, context

    def _context(self, viewer: Viewer, times: Times | None = None) -> Context:
        most = self.settings.request_limits.errors
        return Context(self.desk, self.statements, viewer, most_errors=most, times=times or Times())

    def _deadline(self, known: Known) -> float:
        """When an operation that begins now is stopped, by the loop's clock."""
        seconds = self.settings.query_seconds if known.kind == "query" else self.settings.mutation_seconds
        return asyncio.get_running_loop().time() + seconds

    async def _stock(self, ready: Ready, context: Context) -> dict[str, Any]:
        """Let graphql-core execute; the variables are coerced already, and need not be once more."""
        known = ready.known
        executor_class = Executor if known.kind == "query" else SerialExecutor
        executor: Executor[Any] = executor_class(
            self.schema,
            dict(known.fragments),
            {name: FragmentDetails(node) for name, node in known.fragments.items()},
            None,
            context,
            known.operation,
            ready.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            hide_suggestions=ready.hidden,
        )
        found = executor.execute_operation()
        result = await found if isawaitable(found) else found
        assert isinstance(result, ExecutionResult)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.formatted(
                result.errors, most=self.settings.request_limits.errors, sent=ready.sent, made=context.made
            )
        return body

    def _cookies(self, context: Context, request: Request) -> list[Cookie]:
        """The cookie of a session that began or ended; another site's page shall not sign a visitor in here."""
        if context.session is None and not context.signed_out:
            return []
        name, secure = self.settings.auth_cookie_name, request.url.scheme == "https"
        if context.session is not None and not from_foreign_page(request):
            lifetime = self.settings.token_expiration_in_days * SECONDS_A_DAY
            return [Cookie(name, context.session.token, lifetime, secure)]
        return [Cookie(name, "", 0, secure)] if context.signed_out else []


async def _limited(work: Awaitable[Done], deadline: float) -> Done:
    """Stop what takes longer; raises TimedOut."""
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise TimedOut(STOPPED) from None


def _told(about: Facts) -> dict[str, str]:
    """Which executor answered, and why, for those who ask for figures."""
    return {"Ostiary-Executor": f'{about.executor}; cause="{about.cause}"' if about.cause else about.executor}
