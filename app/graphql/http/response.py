"""Responses with JSON in UTF-8."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from app import http
from app.domain.errors import Refusal
from app.graphql import errors
from app.graphql.http import accept
from app.graphql.http.messages import GraphQLAnswer
from app.http.deadlines import reported_error
from app.observability import request_stats

COMMON = {"Vary": "Accept", **http.NO_STORE}


def answer_response(answer: GraphQLAnswer, media: str) -> Response:
    """Return the response to an operation. With plain JSON, a request error has status 200, as older clients expect."""
    error_status = 400 if media == accept.GRAPHQL else 200
    status = answer.status or (200 if answer.executed else error_status)
    response = _response(answer.body, status, media, answer.headers)
    for cookie in answer.cookies:
        http.set_cookie(response, cookie)
    return response


def refusal_response(refusal: Refusal, media: str) -> Response:
    """Return the response to a request that was refused as a whole."""
    return _response({"errors": [errors.format_refusal(refusal)]}, refusal.status, media, http.headers(refusal))


def failure_response(error: Exception, media: str) -> Response:
    """Return the response to an unexpected error: the client gets an id, the log the traceback."""
    return _response({"errors": [errors.format_unexpected(error)]}, 500, media, {})


def interrupted_response(error: Exception, media: str) -> Response:
    """Return the response to a request that failed. After a commit, it says that the change was made."""
    if isinstance(error := reported_error(error, errors.LOG), Refusal):
        return refusal_response(error, media)
    return failure_response(error, media)


def unexpected_response(error: Exception) -> Response:
    """Return the response to an error outside the endpoint, before the media type is negotiated."""
    return interrupted_response(error, accept.JSON)


def _response(body: dict[str, Any], status: int, media: str, headers: Mapping[str, str]) -> Response:
    if "errors" in body:
        request_stats.current_request().codes += [error["extensions"]["code"] for error in body["errors"]]
    return http.BufferedResponse(
        http.encode_json(body), status, f"{media}; charset=utf-8", {**COMMON, **headers} if headers else COMMON
    )
