"""The protocol edge: requests in, responses out, and nothing about what is asked."""

from starlette.routing import Route

from app.schema.http import files
from app.schema.http.endpoint import DEFAULT_LIMITS, PATH, Answerer, GraphQLEndpoint
from app.schema.http.messages import GraphQLAnswer, GraphQLRequest, ParsedRequest
from app.schema.http.writing import unexpected_response
from app.settings import RequestLimits

__all__ = [
    "Answerer",
    "GraphQLAnswer",
    "GraphQLEndpoint",
    "GraphQLRequest",
    "ParsedRequest",
    "routes",
    "unexpected_response",
]


def routes(
    answer: Answerer,
    sdl: str,
    *,
    has_page: bool = True,
    limits: RequestLimits = DEFAULT_LIMITS,
    admit: files.Admission | None = None,
) -> list[Route]:
    """The API, first, with its playground and its schema; without the page, none of its parts are served.

    `admit` raises a `Refusal` for whom the schema's text is not; without it, it is everybody's.
    """
    api = Route(PATH, GraphQLEndpoint(answer, has_page=has_page, limits=limits), name="graphql")
    parts = [Route(f"{PATH}/assets/{{name}}", files.asset)] if has_page else []
    return [api, *parts, Route("/schema.graphql", files.schema_text(sdl, admit))]
