"""GraphQL over HTTP: requests to operations, results to responses."""

from starlette.routing import Route

from app.config import RequestLimits
from app.graphql.http import sdl
from app.graphql.http.endpoint import DEFAULT_LIMITS, PATH, Answerer, GraphQLEndpoint, PageWriter
from app.graphql.http.messages import GraphQLAnswer, GraphQLRequest, ParsedRequest
from app.graphql.http.response import unexpected_response


def routes(
    answer: Answerer,
    schema: str,
    *,
    page: PageWriter | None = None,
    limits: RequestLimits = DEFAULT_LIMITS,
    admit: sdl.Admission | None = None,
) -> list[Route]:
    """Return the routes of the API and of the SDL, whose text is `schema`. A browser gets the `page` of the API.

    `admit` raises a `Refusal` for a request that may not read the SDL; without it, every client may.
    """
    api = Route(PATH, GraphQLEndpoint(answer, page=page, limits=limits), name="graphql")
    return [api, Route("/schema.graphql", sdl.schema_text(schema, admit))]
