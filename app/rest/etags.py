"""Entity tags of single objects: `"REVISION.ID.HASH"`, the revision and id of the object and a hash of the response.

For who administers a dataset they are `"REVISION.ACCESS_REVISION.ID.HASH"`: the visibility is part of the response, and
the revision of the access configuration, which nobody else may know, tells whether it has changed.

The hash tells whether a client has this very response, which also contains what is not the object's own, such as the
rights of the viewer. `If-Match` compares the revision and the id alone, so that only a change of the object refuses a
change. The id tells an object from a later one that has its name.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.domain import refs
from app.domain.errors import BadRequest
from app.rest.errors import HEADERS
from app.rest.responses import json
from app.services.audit import ObjectRef, Revision

_TAG = re.compile(r'(W/)?"([^"]*)"')
"""Matches a tag, and the mark of a weak one, which a proxy adds that compresses a response."""

_OURS = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?\.([A-Za-z][\w-]{1,40})\.[0-9a-f]{32}")


def tagged(request: Request, body: Any, ref: ObjectRef, *revisions: int) -> Response:
    """Return a JSON response with its ETag, or 304 if the client has it already.

    `revisions` are that of the object and, for who may know it, that of its access configuration.
    """
    tag = ".".join([*map(str, revisions), refs.encode(*ref), sha256(http.encode_json(body)).hexdigest()[:32]])
    header = request.headers.get("if-none-match", "")
    if header.strip() == "*" or tag in [each for _, each in _TAG.findall(header)]:
        return Response(status_code=304, headers={**HEADERS, "ETag": f'"{tag}"'})
    response = json(body)
    response.headers["ETag"] = f'"{tag}"'
    return response


@dataclass(frozen=True, slots=True)
class Condition:
    """The revisions of objects, and of access configurations, that a change accepts; None for any."""

    revisions: frozenset[Revision] | None = None
    access_revisions: frozenset[int] | None = None


ANY = Condition()


def read_condition(request: Request) -> Condition:
    """Return the condition of a change of one object: `If-Match`, and `If-None-Match: *`, which no object meets.

    A tag that this server cannot have sent matches no revision, and neither does a weak one: RFC 9110 forbids it.
    Raises BadRequest for an `If-None-Match` with tags.
    """
    if unwanted := _header(request, "If-None-Match"):
        if unwanted.strip() != "*":
            raise BadRequest("A change takes no `If-None-Match` with tags. Send `If-Match` with the tag that was read.")
        return Condition(frozenset())
    wanted = _header(request, "If-Match")
    if wanted is None or wanted.strip() == "*":
        return ANY
    tags = [_OURS.fullmatch(tag) for weak, tag in _TAG.findall(wanted) if not weak]
    matches = [(match, ref) for match in tags if match and (ref := refs.decode(match[3]))]
    return Condition(
        frozenset((ref, int(match[1])) for match, ref in matches),
        frozenset(int(match[2]) for match, _ in matches if match[2]),
    )


def refuse_conditions(request: Request) -> Condition:
    """Raise BadRequest for a conditional change of what has no tag: it must not be carried out without a comparison."""
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            raise BadRequest(f"Conditional requests are not supported here. Send no `{name}`.")
    return ANY


def _header(request: Request, name: str) -> str | None:
    """Return a header as one list, if it was sent; its lines count as one."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None
