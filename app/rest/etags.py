"""Entity tags of single objects: `"REVISION.HASH"`, the revision of the object and a hash of the response.

The hash tells whether a client has this very response, which also contains what is not the object's own, such as the
rights of the viewer. `If-Match` compares the revision alone, so that only a change of the object refuses a change.
"""

import re
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.rest.errors import HEADERS
from app.rest.responses import json

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
"""Matches a tag. A proxy that compresses a response marks its tag as weak, so weak tags are valid as well."""

_OURS = re.compile(r"(\d{1,9})\.[0-9a-f]{32}")


def tagged(request: Request, body: Any, revision: int) -> Response:
    """Return a JSON response with its ETag, or 304 if the client has it already."""
    tag = f"{revision}.{sha256(http.encode_json(body)).hexdigest()[:32]}"
    header = request.headers.get("if-none-match", "")
    if header.strip() == "*" or tag in _TAG.findall(header):
        return Response(status_code=304, headers={**HEADERS, "ETag": f'"{tag}"'})
    response = json(body)
    response.headers["ETag"] = f'"{tag}"'
    return response


def accepted_revisions(request: Request) -> frozenset[int] | None:
    """Return the revisions in the header If-Match; None for any, if it is absent or `*`.

    A tag that this server cannot have sent matches no revision.
    """
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    matches = (_OURS.fullmatch(tag) for tag in _TAG.findall(header))
    return frozenset(int(match[1]) for match in matches if match)
