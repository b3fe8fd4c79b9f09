"""The protocol edge: requests in, responses out, and nothing about what is asked."""

from starlette.routing import Route

from app.config import RequestLimits
from app.graphql.http import assets
from app.graphql.http.endpoint import DEFAULT_LIMITS, PATH, Answerer, GraphQLEndpoint
from app.graphql.http.messages import GraphQLAnswer, GraphQLRequest, ParsedRequest
from app.graphql.http.response import unexpected_response

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
    admit: assets.Admission | None = None,
) -> list[Route]:
    """The API, first, with its playground and its schema; without the page, none of its parts are served.

    `admit` raises a `Refusal` for whom the schema's text is not; without it, it is everybody's.
    """
    api = Route(PATH, GraphQLEndpoint(answer, has_page=has_page, limits=limits), name="graphql")
    parts = [Route(f"{PATH}/assets/{{name}}", assets.asset)] if has_page else []
    return [api, *parts, Route("/schema.graphql", assets.schema_text(sdl, admit))]
