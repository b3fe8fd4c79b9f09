"""Run one GraphQL request: authenticate the viewer, look up the document, coerce variables, choose the executor."""

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

from app import http, policy
from app.config import Settings
from app.db import ConditionFailed, Database
from app.domain.errors import Forbidden, TimedOut, Unauthenticated, Unavailable
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
from app.observability import request_stats, traces
from app.observability.request_stats import RequestStats
from app.query.reader import QUERY_FRESHNESS
from app.query.sql import SelectBuilder
from app.security.authentication import Credentials
from app.services.app_context import AppContext

SETTING = Fallback("setting")
MAX_UNCOUNTED_BYTES = 8_192
"""Size of a request up to which the uses of its variables are not counted: it has too few values to be expensive."""

STATS_HEADER = b"ostiary-stats"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class GraphQLHandler:
    """A function from a GraphQL request to its answer.

    `compiled` and `changes` are None where the setting leaves all operations to the reference executor. `admission` has
    one queue for new documents of anonymous viewers and one for those of signed-in users.
    """

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
        default_factory=lambda: (AdmissionQueue(), AdmissionQueue(policy=SIGNED_IN))
    )

    async def __call__(self, scope: Scope, request: GraphQLRequest) -> GraphQLAnswer:
        """Answer one request; raises `Refusal` and `Invalid`, which the endpoint turns into responses."""
        began, body = perf_counter(), request.body
        credentials = http.extract_credentials(scope, self.settings.auth_cookie_name)
        remembered = http.viewer_under_condition(self.app, credentials)
        if remembered is not None:
            try:
                return await self._answer_under_condition(scope, request, credentials, *remembered, began)
            except ConditionFailed:
                http.forget_viewer(self.app, credentials, remembered[0])
                request.body = body
        viewer = await http.authenticate(self.app, credentials)
        return await self._answer(scope, request, (credentials, viewer), self.app.database, began)

    async def _answer_under_condition(
        self,
        scope: Scope,
        request: GraphQLRequest,
        credentials: Credentials | None,
        viewer: Viewer,
        database: Database,
        began: float,
    ) -> GraphQLAnswer:
        """Answer a request for the viewer of an earlier one. Raises ConditionFailed if the token has another by now."""
        try:
            return await self._answer(scope, request, (credentials, viewer), database, began)
        except (ConditionFailed, TimedOut, Unavailable):  # the last two say nothing about a viewer
            raise
        except Exception:
            await database.confirm()  # also an error is for this viewer only
            raise

    async def _answer(
        self,
        scope: Scope,
        request: GraphQLRequest,
        by: tuple[Credentials | None, Viewer],
        database: Database,
        began: float,
    ) -> GraphQLAnswer:
        (credentials, viewer), stats = by, request_stats.current_request()
        http.require_expected_viewer(scope, viewer)
        hidden, ready = not self._can_see_schema(viewer), request.ready
        if ready is None or ready.hidden is not hidden:
            document, sent = await self._validate(request, viewer, hidden, database)
            ready = self._prepare(scope, request, document, sent, (credentials, viewer, hidden))
        else:
            self.documents.hits += 1
            stats.kind, stats.operation = ready.document.kind, ready.document.name
        body, context = await self._execute(ready, viewer, stats, database)
        await database.confirm()
        headers = {}
        if STATS_HEADER in http.parse_headers(scope) and self._may_see_statistics(viewer):
            duration = round((perf_counter() - began) * 1000, 3)
            figures = {"statements": stats.statements, "durationMs": duration, "cost": ready.document.cost}
            body["extensions"], headers = {"stats": figures}, _stats_header(stats)
        return GraphQLAnswer(body, headers=headers, cookies=self._cookies(context, Request(scope)) if context else ())

    async def require_schema_shown(self, request: Request) -> None:
        """Raise Unauthenticated or Forbidden for a viewer who may not see the schema."""
        viewer = await http.authenticate(
            self.app, http.extract_credentials(request.scope, self.settings.auth_cookie_name)
        )
        if self._can_see_schema(viewer):
            return
        if self.settings.introspection == "signed-in":
            raise Unauthenticated("Sign in to see the schema.")
        raise Forbidden("This server does not show its schema.")

    def _may_see_statistics(self, viewer: Viewer) -> bool:
        return self.settings.statistics == "everyone" or policy.sees_everything(viewer)

    def _can_see_schema(self, viewer: Viewer) -> bool:
        audience = self.settings.introspection
        return audience == "everyone" or (audience == "signed-in" and viewer.user_id is not None)

    async def _validate(
        self, request: GraphQLRequest, viewer: Viewer, hidden: bool, database: Database
    ) -> tuple[ValidatedDocument, SentText]:
        """Return the requested operation and its text. A document that is not cached waits in the admission queue."""
        text = request.query or self.persisted.text(request.sha256 or "", viewer.user_id)
        requester = RequesterProfile(introspection=not hidden, is_signed_in=viewer.user_id is not None)
        operation = text, request.operation_name, request.variables
        document = self.documents.get_cached(*operation, requester=requester)
        if document is None or (request.query and request.sha256):
            await database.confirm()  # a stranger has a smaller part of the caches
        if document is None:
            async with self.admission[requester.is_signed_in].slot() as charge:
                with traces.span("parse and validate the document", expected=Invalid):
                    document = await self.documents.read_operation(*operation, requester=requester, charge=charge)
        return document, SentText(text, document.text)

    def _prepare(
        self,
        scope: Scope,
        request: GraphQLRequest,
        document: ValidatedDocument,
        sent: SentText,
        by: tuple[Credentials | None, Viewer, bool],
    ) -> ParsedRequest:
        """Check a request and coerce its variables. A query is stored on the request, to be reused for other viewers.

        Raises `Refusal` and `Invalid`.
        """
        stats, (credentials, viewer, hidden) = request_stats.current_request(), by
        stats.kind, stats.operation = document.kind, document.name
        if document.kind != "query":
            http.note_origin(http_request := Request(scope), "GRAPHQL")
            if request.is_get:
                raise MethodNotAllowed("Mutations require POST.")
            http.require_own_page(http_request, credentials, viewer)
        if request.query and request.sha256:
            self.persisted.keep(request.sha256, request.query, viewer.user_id)
        if request.size > MAX_UNCOUNTED_BYTES:
            maximum = self.settings.request_limits.variable_values
            http.require_few_uses(request.variables, document.uses(), maximum, request.size)
        try:
            body, request.body = request.body, None
            variables = self.variables.coerce(document, request.variables, body, hide_suggestions=hidden)
        except Invalid as invalid:
            invalid.sent = sent
            raise
        ready = ParsedRequest(document, variables, hidden, sent)
        if document.kind == "query" and request.sha256 is None:
            request.ready = ready
        return ready

    async def _execute(
        self, ready: ParsedRequest, viewer: Viewer, stats: RequestStats, database: Database
    ) -> tuple[dict[str, Any], GraphQLContext | None]:
        """Return the result of `_execute_now`. An anonymous query waits for its turn, if it uses a connection."""
        if viewer.user_id is None and database.waits and ready.document.kind == "query":
            async with self.app.anonymous_reads.slot():
                return await self._execute_now(ready, viewer, stats, database)
        return await self._execute_now(ready, viewer, stats, database)

    async def _execute_now(
        self, ready: ParsedRequest, viewer: Viewer, stats: RequestStats, database: Database
    ) -> tuple[dict[str, Any], GraphQLContext | None]:
        """Return the body of the answer, and the context unless a plan answered a query; raises TimedOut."""
        document, coerced = ready.document, ready.variables
        is_query, context, deadline = document.kind == "query", None, None
        data: dict[str, Any] | Fallback = SETTING
        if is_query and self.compiled is not None:
            planned = self.compiled.answer(document, coerced, viewer, database, database.clock())
            # SQLite reads in the event loop, and stops slow reads itself.
            data = await (_run_until(planned, deadline := self._deadline(document)) if database.waits else planned)
        elif not is_query:
            await database.confirm()
            times = Deadlines(self._deadline(document), self.settings.query_seconds, self.settings.bulk_hashing_seconds)
            context, deadline = self._context(viewer, times), None
            if self.changes is not None:
                data = await self.changes.answer(document, coerced, context)
        if type(data) is dict:
            stats.executor = "compiled"
            return {"data": data}, context
        assert isinstance(data, Fallback)
        stats.executor, stats.reason = "reference", data.reason
        await database.confirm()
        if context is None:
            context = self._context(viewer)
            context.freshness = QUERY_FRESHNESS
            execution = self._execute_reference(ready, context)
            return await _run_until(execution, deadline or self._deadline(document)), context
        body = await self._execute_reference(ready, context)
        if context.times.stopped is not None and not stats.committed_changes:
            raise context.times.stopped
        return body, context

    def _context(self, viewer: Viewer, times: Deadlines | None = None) -> GraphQLContext:
        maximum = self.settings.request_limits.errors
        return GraphQLContext(self.app, self.statements, viewer, max_errors=maximum, times=times or Deadlines())

    def _deadline(self, document: ValidatedDocument) -> float:
        """Return the time of the event loop at which an operation that starts now is stopped."""
        seconds = self.settings.query_seconds if document.kind == "query" else self.settings.mutation_seconds
        return asyncio.get_running_loop().time() + seconds

    async def _execute_reference(self, ready: ParsedRequest, context: GraphQLContext) -> dict[str, Any]:
        """Run the operation by graphql-core. Its constructor is called directly, since the variables are coerced."""
        document = ready.document
        executor_class = Executor if document.kind == "query" else SerialExecutor
        executor: Executor[Any] = executor_class(
            self.schema,
            dict(document.fragments),
            {name: FragmentDetails(node) for name, node in document.fragments.items()},
            None,
            context,
            document.operation,
            ready.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            hide_suggestions=ready.hidden,
        )
        pending = executor.execute_operation()
        result = await pending if isawaitable(pending) else pending
        assert isinstance(result, ExecutionResult)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            if document.kind == "query" and (refusal := errors.refusal_of_all(result.errors)) is not None:
                raise refusal
            body["errors"] = errors.format_errors(
                result.errors,
                maximum=self.settings.request_limits.errors,
                sent=ready.sent,
                committed_keys=context.committed_keys,
            )
        return body

    def _cookies(self, context: GraphQLContext, request: Request) -> list[Cookie]:
        """Return the cookie of a session that began or ended. A page of another site cannot begin a session."""
        if context.session is None and not context.signed_out:
            return []
        if context.session is not None and not from_foreign_page(request):
            return [http.session_cookie(request, self.settings, context.session.token)]
        return [http.expired_session_cookie(request, self.settings)] if context.signed_out else []


async def _run_until(work: Awaitable[Result], deadline: float) -> Result:
    """Await work, or raise TimedOut at the deadline."""
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise TimedOut(STOPPED) from None


def _stats_header(stats: RequestStats) -> dict[str, str]:
    return {"Ostiary-Executor": f'{stats.executor}; reason="{stats.reason}"' if stats.reason else stats.executor}
