"""Limits on the size of GraphQL documents, within the bounds that the server can process."""

from app.config import values


class Limits(values.Section):
    """Limits on one document: the first six on its text, the others on its operation with all fragments expanded."""

    characters: values.Count = values.count_field(200_000, 1_000, 1_000_000, "Characters of a GraphQL document: {}.")
    tokens: values.Count = values.count_field(
        5_000, 100, 100_000, "Tokens of a document (names, numbers, strings, punctuators, comments): {}."
    )
    definitions: values.Count = values.count_field(200, 10, 10_000, "Operations and fragments in a document: {}.")
    # graphql-core parses recursively with five frames for a selection; the interpreter allows a thousand frames.
    nesting: values.Count = values.count_field(64, 10, 100, "Nested brackets of any kind: {}.")
    directives: values.Count = values.count_field(100, 0, 10_000, "Directives in a document: {}.")
    aliases: values.Count = values.count_field(100, 0, 10_000, "Aliases in a document: {}.")
    depth: values.Count = values.count_field(
        15, 5, 100, "Levels of nested fields: {}. The standard introspection query has 15."
    )
    siblings: values.Count = values.count_field(
        50, 1, 10_000, "Selections of one field, or of one response name, in one object of the response: {}."
    )
    comparisons: values.Count = values.count_field(
        5_000, 0, 1_000_000, "Pairs of fields with one response name to compare: {}. A pair takes ten microseconds."
    )
    root_fields: values.Count = values.count_field(20, 1, 1_000, "Fields at the root of an operation: {}.")
    selections: values.Count = values.count_field(
        20_000, 100, 1_000_000, "Fields and fragments of a document, with fragments counted at every spread: {}."
    )
    cost: values.Count = values.count_field(
        200_000, 100, 1_000_000_000, "Fields of the response if every page is full: {}."
    )
    introspection: values.Count = values.count_field(2, 1, 10, "Nested lists of types in an introspection query: {}.")
