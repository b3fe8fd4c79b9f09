"""A comparison of the two executors in one process: their answers must be equal, byte by byte."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, execute
from graphql.execution.values import VariableValues, get_variable_values

from app import db
from app.config import Limits
from app.db import CachedTables
from app.domain.viewer import ANONYMOUS, Viewer
from app.graphql import errors, schema
from app.graphql.compiled.executor import CompiledExecutor
from app.graphql.compiled.plan_cache import Fallback
from app.graphql.compiled.planner import Planner
from app.graphql.context import GraphQLContext
from app.graphql.documents.cache import DocumentCache, Invalid, ValidatedDocument
from app.http import encode_json
from app.query.sql import SelectBuilder
from app.security import authentication, session_tokens
from app.services.app_context import AppContext
from tests.oracle.selections import cursors_of, features
from tests.oracle.worlds import Question, World
from tests.support.factories import Person

UNPLANNED: Mapping[str, str] = {
    "Query.accessDecision": "has code of its own, as a service tells it",
    "Query.explainAccess": "has code of its own, as a service tells it",
    "Query.explainDenial": "has code of its own, as a service tells it",
    "Query.previewAccess": "has code of its own: it makes a change and undoes it",
}
"""Every field under `Query` that does not compile, each with its reason."""


class Unequal(AssertionError):
    """The compiled executor did what the reference executor did not, or that one failed."""


@dataclass
class Tally:
    """Counts of questions, and of the answers by plans."""

    questions: Counter[str] = field(default_factory=Counter)
    """`compiled`; `invalid`, which is never executed; what fell back to the reference executor, by reason."""

    mistaken: Counter[str] = field(default_factory=Counter)
    """Questions that the reference executor answers with errors, by the reason of the fallback."""

    features: Counter[str] = field(default_factory=Counter)
    """Features of `tests/oracle/selections.py` with values in the answers of plans."""

    @property
    def share(self) -> float:
        """The share of answers by plans in all answers without errors."""
        return self.questions["compiled"] / max(1, self.questions.total() - self.questions["invalid"])

    def add(self, other: "Tally") -> None:
        """Add the counts of another tally."""
        self.questions += other.questions
        self.mistaken += other.mistaken
        self.features += other.features


class Both:
    """Both executors for one database."""

    def __init__(self, app: AppContext, statements: SelectBuilder | None = None) -> None:
        self._app = app
        self._schema = schema.core()
        self._statements = statements or SelectBuilder(app.database)
        self._documents = DocumentCache(self._schema, Limits())
        planner = Planner(self._schema, self._statements, schema.converted, app)
        self._compiled = CompiledExecutor(planner, at_once=True)
        self.tally = Tally()
        self.cursors: dict[str, list[str]] = {}
        """Some cursors of answers, by the type of their list."""

    async def ask(self, question: Question, viewer: Viewer, who: str) -> dict[str, Any] | None:
        """Ask both, and return the reference answer; None for what is never executed. Raises Unequal."""
        try:
            validated, variables = self._understood(question)
        except Invalid:
            self.tally.questions["invalid"] += 1
            return None
        reference = await self._reference(validated, question, viewer)
        database = self._app.database
        answer = await self._compiled.answer(validated, variables, viewer, database, database.clock())
        if difference := _difference(reference, answer):
            raise Unequal(f"{who} asks {question.text}\nwith {encode_json(question.variables).decode()}\n{difference}")
        self._count(validated, reference, answer if isinstance(answer, Fallback) else _decoded(answer))
        return reference

    async def plan(self, question: Question, viewer: Viewer) -> dict[str, Any]:
        """Return the answer of a plan."""
        validated, variables = self._understood(question)
        database = self._app.database
        answer = await self._compiled.answer(validated, variables, viewer, database, database.clock())
        assert not isinstance(answer, Fallback), answer
        return _decoded(answer)

    @property
    def cached_tables(self) -> CachedTables:
        """Return the cached rows of the plans."""
        return self._compiled.cached_tables

    def _understood(self, question: Question) -> tuple[ValidatedDocument, VariableValues]:
        validated = self._documents.operation(question.text, None, question.variables, introspection=True)
        definitions = validated.operation.variable_definitions or ()
        variables = get_variable_values(self._schema, definitions, dict(question.variables))
        if isinstance(variables, list):
            raise Invalid(variables, "BAD_USER_INPUT")
        return validated, variables

    async def _reference(self, validated: ValidatedDocument, question: Question, viewer: Viewer) -> dict[str, Any]:
        context = GraphQLContext(self._app, self._statements, viewer)
        variables = dict(question.variables)
        result = execute(self._schema, validated.document, context_value=context, variable_values=variables)
        if isawaitable(result):
            result = await result
        assert isinstance(result, ExecutionResult)
        body: dict[str, Any] = {"data": result.data}
        return body | {"errors": errors.format_errors(result.errors)} if result.errors else body

    def _count(
        self, validated: ValidatedDocument, reference: dict[str, Any], answer: dict[str, Any] | Fallback
    ) -> None:
        if isinstance(answer, Fallback):
            (self.tally.mistaken if "errors" in reference else self.tally.questions)[answer.reason] += 1
        else:
            self.tally.questions["compiled"] += 1
            self.tally.features.update(set(features(validated.document, answer)))
        for kind, cursor in cursors_of(validated.document, reference["data"]):
            self.cursors[kind] = [*self.cursors.get(kind, ()), cursor][-10:]


def _decoded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the parts that are JSON already."""
    decoded: dict[str, Any] = orjson.loads(encode_json(answer))
    return decoded


def _difference(reference: dict[str, Any], answer: dict[str, Any] | Fallback) -> str:
    """Return the difference of the answers, empty if they are equal or if the fallback has a reason."""
    codes = {each["extensions"]["code"] for each in reference.get("errors", ())}
    if "INTERNAL_SERVER_ERROR" in codes:
        return "the reference executor fails"
    if isinstance(answer, Fallback):
        return "" if codes or answer.reason in UNPLANNED else f"needless fallback: {answer.reason}"
    expected, actual = encode_json(reference), encode_json({"data": answer})
    return "" if expected == actual else f"reference {expected.decode()}\nplan      {actual.decode()}"


async def viewers_of(database: db.Database, world: World) -> dict[str, Viewer]:
    """Return the viewers of a world as authentication returns them, without deactivated users."""
    viewers = {kind: await _viewer(database, who) for kind, who in world.viewers.items()}
    return {kind: viewer for kind, viewer in viewers.items() if viewer is not None}


async def _viewer(database: db.Database, who: Person | str | None) -> Viewer | None:
    if who is None:
        return ANONYMOUS
    if isinstance(who, Person):
        found = await authentication.viewer_from_token(
            database, session_tokens.TokenClaims(who.id, who.user_name, False, who.generation)
        )
    else:
        found = await authentication.viewer_from_api_token(database, who)
    return found.viewer if isinstance(found, authentication.Authenticated) else None
