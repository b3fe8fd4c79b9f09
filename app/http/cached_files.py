"""What is served as it is: with a tag, so that a browser that has it already is not sent it again."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from app.http.responses import NO_SNIFFING

CHECKED = "no-cache"
"""May be kept, and is asked for each time whether it still holds."""


def cached_response(request: Request, content: bytes, media: str, keeping: str = CHECKED) -> Response:
    """The content, or that what the browser has still holds; `keeping` says how long it need not ask."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": keeping, **NO_SNIFFING}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media)
