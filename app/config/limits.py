"""How large a GraphQL document may be: numbers that an operator may change, within what the server can bear."""

from pydantic import BaseModel, ConfigDict, Field

from app.config import values


class Limits(BaseModel):
    """The largest document that is answered. Counted as it unfolds, the first six as written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    characters: values.Count = Field(
        200_000, ge=1_000, le=1_000_000, description="Characters of a GraphQL document: 1,000 to 1,000,000."
    )
    tokens: values.Count = Field(
        5_000,
        ge=100,
        le=100_000,
        description="Words, numbers, strings and signs of a document, comments too: 100 to 100,000.",
    )
    definitions: values.Count = Field(
        200, ge=10, le=10_000, description="Operations and fragments in a document: 10 to 10,000."
    )
    # graphql-core parses by recursion, five frames for a selection: the interpreter's stack ends at a thousand.
    nesting: values.Count = Field(64, ge=10, le=100, description="Brackets of any kind within brackets: 10 to 100.")
    directives: values.Count = Field(100, ge=0, le=10_000, description="Directives in a document: 0 to 10,000.")
    aliases: values.Count = Field(100, ge=0, le=10_000, description="Aliases in a document: 0 to 10,000.")
    depth: values.Count = Field(
        15, ge=5, le=100, description="Fields below fields, 5 to 100. The standard introspection query has 15."
    )
    siblings: values.Count = Field(
        50, ge=1, le=10_000, description="One field, or one response name, in one place of the answer: 1 to 10,000."
    )
    comparisons: values.Count = Field(
        5_000,
        ge=0,
        le=1_000_000,
        description="Pairs of fields that merge into one, 0 to 1,000,000. Each pair costs ten microseconds.",
    )
    root_fields: values.Count = Field(20, ge=1, le=1_000, description="Fields at the root of an operation: 1 to 1,000.")
    selections: values.Count = Field(
        20_000,
        ge=100,
        le=1_000_000,
        description="Fields and fragments of a document, each fragment where it is spread: 100 to 1,000,000.",
    )
    cost: values.Count = Field(
        200_000,
        ge=100,
        le=1_000_000_000,
        description="Fields of the answer, if every page is full: 100 to 1,000,000,000.",
    )
    introspection: values.Count = Field(
        2, ge=1, le=10, description="Lists of types within lists of types, when the schema is asked for: 1 to 10."
    )
