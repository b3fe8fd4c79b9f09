"""GraphQL over HTTP: requests to operations, results to responses."""

from starlette.routing import Route

from app.config import RequestLimits
from app.graphql.http import assets
from app.graphql.http.endpoint import DEFAULT_LIMITS, PATH, Answerer, GraphQLEndpoint, PageWriter
from app.graphql.http.messages import GraphQLAnswer, GraphQLRequest, ParsedRequest
from app.graphql.http.response import page as playground_page
from app.graphql.http.response import unexpected_response


def routes(
    answer: Answerer,
    sdl: str,
    *,
    page: PageWriter | None = playground_page,
    limits: RequestLimits = DEFAULT_LIMITS,
    admit: assets.Admission | None = None,
) -> list[Route]:
    """Return the routes of the API, its playground and the SDL. Without a page, no asset is served.

    `admit` raises a `Refusal` for a request that may not read the SDL; without it, every client may.
    """
    api = Route(PATH, GraphQLEndpoint(answer, page=page, limits=limits), name="graphql")
    parts = [Route(f"{PATH}/assets/{{name}}", assets.asset)] if page is not None else []
    return [api, *parts, Route("/schema.graphql", assets.schema_text(sdl, admit))]
