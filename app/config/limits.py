"""Limits on the size of GraphQL documents, within the bounds that the server can process."""

from pydantic import BaseModel, ConfigDict, Field

from app.config import values


class Limits(BaseModel):
    """Limits on one document: the first six on its text, the others on its operation with all fragments expanded."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    characters: values.Count = Field(
        200_000, ge=1_000, le=1_000_000, description="Characters of a GraphQL document: 1,000 to 1,000,000."
    )
    tokens: values.Count = Field(
        5_000,
        ge=100,
        le=100_000,
        description="Tokens of a document (names, numbers, strings, punctuators, comments): 100 to 100,000.",
    )
    definitions: values.Count = Field(
        200, ge=10, le=10_000, description="Operations and fragments in a document: 10 to 10,000."
    )
    # graphql-core parses recursively with five frames for a selection; the interpreter allows a thousand frames.
    nesting: values.Count = Field(64, ge=10, le=100, description="Nested brackets of any kind: 10 to 100.")
    directives: values.Count = Field(100, ge=0, le=10_000, description="Directives in a document: 0 to 10,000.")
    aliases: values.Count = Field(100, ge=0, le=10_000, description="Aliases in a document: 0 to 10,000.")
    depth: values.Count = Field(
        15, ge=5, le=100, description="Levels of nested fields: 5 to 100. The standard introspection query has 15."
    )
    siblings: values.Count = Field(
        50,
        ge=1,
        le=10_000,
        description="Selections of one field, or of one response name, in one object of the response: 1 to 10,000.",
    )
    comparisons: values.Count = Field(
        5_000,
        ge=0,
        le=1_000_000,
        description="Pairs of fields with one response name to compare: 0 to 1,000,000. A pair takes ten microseconds.",
    )
    root_fields: values.Count = Field(20, ge=1, le=1_000, description="Fields at the root of an operation: 1 to 1,000.")
    selections: values.Count = Field(
        20_000,
        ge=100,
        le=1_000_000,
        description="Fields and fragments of a document, with fragments counted at every spread: 100 to 1,000,000.",
    )
    cost: values.Count = Field(
        200_000,
        ge=100,
        le=1_000_000_000,
        description="Fields of the response if every page is full: 100 to 1,000,000,000.",
    )
    introspection: values.Count = Field(
        2, ge=1, le=10, description="Nested lists of types in an introspection query: 1 to 10."
    )
