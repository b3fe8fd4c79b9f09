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

from app import http
from app.config import Settings
from app.domain.errors import Forbidden, TimedOut, Unauthenticated
from app.domain.viewer import Viewer
from app.graphql import errors
from app.graphql.coercion.variables import VariableCoercion
from app.graphql.compiled.executor import CompiledExecutor
from app.graphql.compiled.mutations import MutationExecutor
from app.graphql.compiled.plan_cache import Fallback
from app.graphql.context import GraphQLContext
from app.graphql.documents.admission import SIGNED_IN, AdmissionQueue
from app.graphql.documents.cache import DocumentCache, Invalid, RequesterProfile, ValidatedDocument
from app.graphql.documents.canonical import SentText
from app.graphql.documents.persisted import PersistedTexts
from app.graphql.http import GraphQLAnswer, GraphQLRequest, ParsedRequest
from app.graphql.serial_executor import SerialExecutor
from app.http import Cookie, MethodNotAllowed, from_foreign_page
from app.http.deadlines import STOPPED, Deadlines
from app.observability import request_stats
from app.observability.request_stats import RequestStats
from app.query.reader import query_freshness
from app.query.sql import SelectBuilder
from app.security.authentication import Credentials
from app.services.app_context import AppContext

SECONDS_A_DAY = 86_400
SETTING = Fallback("setting")
FREE_SIZE = 8_192
"""Bytes of a request whose values may be used as often as its document says so: they are few."""

STATS_HEADER = b"ostiary-stats"

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class GraphQLHandler:
    """What answering needs from the house. New documents of strangers and of the signed-in have a lane each."""

    schema: GraphQLSchema
    documents: DocumentCache
    app: AppContext
    statements: SelectBuilder
    settings: Settings
    variables: VariableCoercion
    compiled: CompiledExecutor | None = None
    changes: MutationExecutor | None = None
    persisted: PersistedTexts = field(default_factory=PersistedTexts)
    admission: tuple[AdmissionQueue, AdmissionQueue] = field(
        default_factory=lambda: (AdmissionQueue(), AdmissionQueue(terms=SIGNED_IN))
    )

    async def __call__(self, scope: Scope, asked: GraphQLRequest) -> GraphQLAnswer:
        """Answer one request; raises `Refusal` and `Invalid`, which the protocol edge writes."""
        began, about = perf_counter(), request_stats.current_request()
        shown = http.extract_credentials(scope, self.settings.auth_cookie_name)
        viewer = await http.authenticate(self.app, shown)
        hidden, ready = not self._is_shown_schema(viewer), asked.ready
        if ready is None or ready.hidden is not hidden:
            known, sent = await self._validated(asked, viewer, hidden)
            ready = self._prepare(scope, asked, known, sent, (shown, viewer, hidden))
        else:
            self.documents.hits += 1
            about.kind, about.operation = ready.known.kind, ready.known.name
        body, context = await self._execute(ready, viewer, about)
        headers = {}
        if STATS_HEADER in http.parse_headers(scope):
            spent = round((perf_counter() - began) * 1000, 3)
            stats = {"statements": about.statements, "durationMs": spent, "cost": ready.known.cost}
            body["extensions"], headers = {"stats": stats}, _stats_header(about)
        return GraphQLAnswer(body, headers=headers, cookies=self._cookies(context, Request(scope)) if context else ())

    async def require_schema_shown(self, request: Request) -> None:
        """Refuse who is not shown the schema; raises Unauthenticated and Forbidden."""
        viewer = await http.authenticate(
            self.app, http.extract_credentials(request.scope, self.settings.auth_cookie_name)
        )
        if self._is_shown_schema(viewer):
            return
        if self.settings.introspection == "signed-in":
            raise Unauthenticated("Sign in to see the schema.")
        raise Forbidden("This server does not show its schema.")

    def _is_shown_schema(self, viewer: Viewer) -> bool:
        whom = self.settings.introspection
        return whom == "everyone" or (whom == "signed-in" and viewer.user_id is not None)

    async def _validated(
        self, asked: GraphQLRequest, viewer: Viewer, hidden: bool
    ) -> tuple[ValidatedDocument, SentText]:
        """The operation that is asked for, and its text; what nobody has asked before is looked at in its turn."""
        text = asked.query or self.persisted.text(asked.sha256 or "", viewer.user_id)
        asker = RequesterProfile(introspection=not hidden, is_signed_in=viewer.user_id is not None)
        question = text, asked.operation_name, asked.variables
        known = self.documents.get_cached(*question, asker=asker)
        if known is None:
            async with self.admission[asker.is_signed_in].slot() as charge:
                known = await self.documents.read_operation(*question, asker=asker, charge=charge)
        return known, SentText(text, known.text)

    def _prepare(
        self,
        scope: Scope,
        asked: GraphQLRequest,
        known: ValidatedDocument,
        sent: SentText,
        by: tuple[Credentials | None, Viewer, bool],
    ) -> ParsedRequest:
        """What may be run; remembered with what was asked, if it is a query and does not hang on who asks."""
        about, (shown, viewer, hidden) = request_stats.current_request(), by
        about.kind, about.operation = known.kind, known.name
        if known.kind != "query":
            http.note_origin(request := Request(scope), "GRAPHQL")
            if asked.is_get:
                raise MethodNotAllowed("A change is asked for by POST.")
            http.require_own_page(request, shown, viewer)
        if asked.query and asked.sha256:
            self.persisted.keep(asked.sha256, asked.query, viewer.user_id)
        if asked.size > FREE_SIZE:
            http.require_few_uses(asked.variables, known.uses(), self.settings.request_limits.variable_values)
        try:
            variables = self.variables.coerce(known, asked.variables, hide_suggestions=hidden)
        except Invalid as invalid:
            invalid.sent = sent
            raise
        ready = ParsedRequest(known, variables, hidden, sent)
        if known.kind == "query" and asked.sha256 is None:
            asked.ready = ready
        return ready

    async def _execute(
        self, ready: ParsedRequest, viewer: Viewer, about: RequestStats
    ) -> tuple[dict[str, Any], GraphQLContext | None]:
        """The body, and the context of all but planned queries."""
        known, coerced, database = ready.known, ready.variables, self.app.database
        is_query, context, deadline = known.kind == "query", None, None
        found: dict[str, Any] | Fallback = SETTING
        if is_query and self.compiled is not None:
            planned = self.compiled.answer(known, coerced, viewer, database, database.clock())
            # Where others have their turns only while something long is read, the door stops that itself.
            found = await (_run_until(planned, deadline := self._deadline(known)) if database.waits else planned)
        elif not is_query:
            times = Deadlines(self._deadline(known), self.settings.query_seconds)
            context, deadline = self._context(viewer, times), None
            if self.changes is not None:
                found = await self.changes.answer(known, coerced, context)
        if type(found) is dict:
            about.executor = "compiled"
            return {"data": found}, context
        assert isinstance(found, Fallback)
        about.executor, about.reason = "reference", found.reason
        if context is None:
            context = self._context(viewer)
            context.freshness = query_freshness(viewer)
            stock = self._execute_reference(ready, context)
            return await _run_until(stock, deadline or self._deadline(known)), context
        body = await self._execute_reference(ready, context)
        if context.times.stopped is not None and not about.committed_changes:
            raise context.times.stopped
        return body, context

    def _context(self, viewer: Viewer, times: Deadlines | None = None) -> GraphQLContext:
        most = self.settings.request_limits.errors
        return GraphQLContext(self.app, self.statements, viewer, most_errors=most, times=times or Deadlines())

    def _deadline(self, known: ValidatedDocument) -> float:
        """When an operation that begins now is stopped, by the loop's clock."""
        seconds = self.settings.query_seconds if known.kind == "query" else self.settings.mutation_seconds
        return asyncio.get_running_loop().time() + seconds

    async def _execute_reference(self, ready: ParsedRequest, context: GraphQLContext) -> dict[str, Any]:
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
            body["errors"] = errors.format_errors(
                result.errors, most=self.settings.request_limits.errors, sent=ready.sent, made=context.made
            )
        return body

    def _cookies(self, context: GraphQLContext, request: Request) -> list[Cookie]:
        """The cookie of a session that began or ended; another site's page shall not sign a visitor in here."""
        if context.session is None and not context.signed_out:
            return []
        name, secure = self.settings.auth_cookie_name, request.url.scheme == "https"
        if context.session is not None and not from_foreign_page(request):
            lifetime = self.settings.token_expiration_in_days * SECONDS_A_DAY
            return [Cookie(name, context.session.token, lifetime, secure)]
        return [Cookie(name, "", 0, secure)] if context.signed_out else []


async def _run_until(work: Awaitable[Done], deadline: float) -> Done:
    """Stop what takes longer; raises TimedOut."""
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise TimedOut(STOPPED) from None


def _stats_header(about: RequestStats) -> dict[str, str]:
    """Which executor answered, and why, for those who ask for figures."""
    return {"Ostiary-Executor": f'{about.executor}; reason="{about.reason}"' if about.reason else about.executor}
