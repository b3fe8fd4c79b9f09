"""How a document is refused before anything looks at it at leisure."""

from graphql import FragmentDefinitionNode

from app.domain import errors

MOST = 10**9  # numbers of fragment bombs have hundreds of digits; nobody wants to read those


class LimitExceeded(errors.TooComplex):
    """A limit is passed; says which, its number and the document's."""

    def __init__(self, limit: str, most: int, value: int) -> None:
        found = f"{value:,}" if value < MOST else f"more than {MOST:,}"
        message = f"The document is too complex: {limit} may be {most:,} at most, but here it is {found}."
        super().__init__(message, limit, most, min(value, MOST))


class InvalidFragments(Exception):
    """Fragments spread each other in a circle, or share a name: no size has a meaning."""

    def __init__(self, message: str, node: FragmentDefinitionNode) -> None:
        super().__init__(message)
        self.message, self.node = message, node


def within(limit: str, most: int, value: int) -> None:
    """Refuse what passes a limit; raises Excess."""
    if value > most:
        raise LimitExceeded(limit, most, value)
