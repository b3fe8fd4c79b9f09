"""Documents that are expensive on purpose, each with the limit or the error code that rejects it.

`scripts/bench --hostile` sends them to a real server. Some of their fields are not in the schema: the server rejects
the documents before it validates them.
"""

MAX_CALLS = 200_000
"""Calls of functions that a worker may spend on one of them, twice what reading the longest of them takes."""

MAX_SECONDS = 5.0
"""Processor time that a worker may spend on one of them, far above what any machine takes: for work inside of C."""

INVALID = "GRAPHQL_VALIDATION_FAILED"


def bomb(levels: int, spreads: str = "...f{0} ...f{0}") -> str:
    """Return a document in which every fragment spreads the next one twice."""
    parts = (f"fragment f{i} on User {{ {spreads.format(i + 1)} }}" for i in range(levels))
    return f"{{ me {{ ...f0 }} }} {' '.join(parts)} fragment f{levels} on User {{ id }}"


def _often(piece: str, number: int) -> str:
    return "".join(piece.format(i) for i in range(number))


BOMBS = {f"fragment bomb of {levels} levels": (bomb(levels), "selections") for levels in (16, 20, 24, 28, 32, 36, 40)}

HOSTILE: dict[str, tuple[str, str]] = {
    **BOMBS,
    "fragment bomb of 150 levels": (bomb(150), "selections"),
    "fragment bomb with fields": (bomb(40, "a: friend {{ ...f{0} }} b: friend {{ ...f{0} }}"), "depth"),
    "a thousand aliases": (f"{{ {_often('a{}: me ', 1_000)}}}", "aliases"),
    "a thousand aliases with selections": (f"{{ {_often('a{}: me {{ id }} ', 1_000)}}}", "tokens"),
    "ten thousand directives": (f"{{ me {'@a ' * 10_000}{{ id }} }}", "tokens"),
    "a thousand directives": (f"{{ me {'@a ' * 1_000}{{ id }} }}", "directives"),
    "a hundred thousand brackets": ("{ users(ids: " + "[" * 100_000, "tokens"),
    "a million brackets": ("{ users(ids: " + "[" * 1_000_000, "characters"),
    "deep lists": ("{ users(ids: " + "[" * 2_000 + "]" * 2_000 + ") { totalCount } }", "nesting"),
    "deep fields": ("{ me " + "{ friend " * 500 + "{ id }" + " }" * 501, "nesting"),
    "deep inline fragments": ("{ " + "... { " * 500 + "me { id }" + " }" * 501, "nesting"),
    "wide introspection": (
        "{ " + "__schema { types { fields { type { fields { type { fields { name } } } } } } } " * 15 + "}",
        "introspection",
    ),
    "many introspections": (
        f"{{ {_often('a{}: __schema {{ types {{ fields {{ args {{ name type {{ name }} }} }} }} }} ', 60)}}}",
        "cost",
    ),
    "enormous pages": (
        "{ users(first: 100) { nodes { friends(first: 100) { nodes { friends { nodes { id } } } } } } }",
        "cost",
    ),
    "one enormous page": ("{ users(first: 99999999999999999999) { nodes { id } } }", "cost"),
    "one field often": ("{ me { " + "id " * 1_000 + "} }", "siblings"),
    "merging trees": ("{ " + "me { friend { id } friend { id } } " * 40 + "}", "siblings"),
    "a circle of fragments": (
        "{ me { ...A } } fragment A on User { ...B } fragment B on User { friend { ...A } }",
        INVALID,
    ),
    "a fragment in itself": ("{ me { ...A } } fragment A on User { ...A }", INVALID),
    "a large circle": (
        "{ me { ...f0 } } " + " ".join(f"fragment f{i} on User {{ ...f{(i + 1) % 190} }}" for i in range(190)),
        INVALID,
    ),
    "a chain of fragments": (bomb(190, "id ...f{0}"), "selections"),
    "thousands of fragments": ("{ me { id } } " + _often("fragment f{} on User {{ id }} ", 700), "definitions"),
    "thousands of operations": (_often("query q{} {{ __typename }} ", 900), "definitions"),
    "unclosed strings": ('"a\n' * 5_000, "tokens"),
    "unclosed block string": ('"""' + '\\"""' * 40_000, "tokens"),
}
