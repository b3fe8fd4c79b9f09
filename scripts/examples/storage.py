"""A storage service: it takes and gives files for tickets of Ostiary, which it checks alone, with the published key.

    OSTIARY=http://127.0.0.1:5000 STORE=./files python -m scripts.examples.storage 5001
    curl -T reef.tif -H "Authorization: Bearer $TOKEN" localhost:5001/files/reef/corals/2026/reef.tif
    curl -OJ -H "Authorization: Bearer $TOKEN" localhost:5001/files/reef/corals/2026/reef.tif

$TOKEN is what `beginUpload` or `beginDownload` answered for the resource `reef/corals`; its id may replace
that path. The files of a resource are kept under its id, which stays when it moves. A ticket is good for one upload
of at most the bytes that it has reserved, and a file is in its place only once `finishUpload` was acknowledged. With
the token of an account that holds RESOURCES_MANAGE in ACCOUNT, a file may become smaller; without one, what it took
counts on. One process serves one folder.
"""

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

STORE = Path(os.environ.get("STORE", "files"))
ACCOUNT = os.environ.get("ACCOUNT")
FILES, DRAFTS, USED = STORE / "files", STORE / "drafts", STORE / "used"
REFRESH_SECONDS = 10.0
"""Least seconds between two requests for the keys, even if many tickets name an unknown one."""

FINISH = """mutation ($ticket: ID!, $size: BigInt!, $replaced: BigInt!) {
  finishUpload(input: {ticket: $ticket, sizeBytes: $size, replacedBytes: $replaced}) { errors { message } }
}"""

ostiary = httpx.AsyncClient(base_url=os.environ.get("OSTIARY", "http://127.0.0.1:5000"), timeout=10)
ostiary.headers.update({"Authorization": f"Bearer {ACCOUNT}"} if ACCOUNT else {})
keys: dict[str, jwt.PyJWK] = {}
refreshed_at = -REFRESH_SECONDS
moving = asyncio.Lock()


async def verification_key(kid: str) -> jwt.PyJWK:
    """Return the key with this id; fetch the keys if it is unknown."""
    global refreshed_at  # noqa: PLW0603 - one service, one memory
    if kid not in keys and time.monotonic() - refreshed_at > REFRESH_SECONDS:
        refreshed_at = time.monotonic()
        answer = (await ostiary.get("/.well-known/jwks.json")).raise_for_status()
        keys.update({key["kid"]: jwt.PyJWK(key) for key in answer.json()["keys"]})
    if kid not in keys:
        raise jwt.InvalidKeyError
    return keys[kid]


async def verified_ticket(request: Request, act: str) -> tuple[dict[str, Any], Path]:
    """Return the claims of the ticket of a request, if it is valid, and the path of the file."""
    token, path = request.headers.get("authorization", "").partition(" ")[2], request.path_params["path"]
    try:
        header = jwt.get_unverified_header(token)
        key = await verification_key(str(header.get("kid")))
        ticket = jwt.decode(token, key, ["EdDSA"], audience="storage", options={"require": ["exp", "jti"]})
    except jwt.PyJWTError:
        raise HTTPException(401, "This needs a ticket that is good.", {"WWW-Authenticate": "Bearer"}) from None
    except httpx.HTTPError:
        raise HTTPException(503, "The keys cannot be fetched now.") from None
    # A user who does not see the org has a ticket without a path, and names the resource by its id.
    names = [name for name in (ticket.get("path"), ticket["resource"]) if name and path.startswith(f"{name}/")]
    if header.get("typ") != "ticket+jwt" or ticket["act"] != act or not names:
        raise HTTPException(403, "The ticket is for something else.")
    inside = path.removeprefix(f"{names[0]}/")
    if any(part in {"", ".", ".."} or "\0" in part or len(part.encode()) > 255 for part in inside.split("/")):
        raise HTTPException(400, "No file can have this path.")
    return ticket, FILES / ticket["resource"] / inside


async def upload(request: Request) -> Response:
    ticket, target = await verified_ticket(request, "upload")
    draft, used = DRAFTS / ticket["jti"], USED / ticket["jti"]
    try:
        used.touch(exist_ok=False)
    except FileExistsError:
        raise HTTPException(409, "The ticket was used already.") from None
    try:
        size = await received(request, draft, ticket["bytes"])
    except BaseException:
        used.unlink()  # nothing has been counted: it may be tried again
        draft.unlink(missing_ok=True)
        raise
    try:
        async with moving:  # what is replaced must be what was counted
            before = prepared(target)
            await finish(ticket["jti"], size, before if ACCOUNT else min(before, size))
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return Response(status_code=201)


async def received(request: Request, draft: Path, limit: int) -> int:
    """Write the body to the disk; return its size."""
    size = 0
    with await run_in_threadpool(draft.open, "wb") as file, contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise HTTPException(413, f"The ticket is for {limit:,} bytes.")
            await run_in_threadpool(file.write, chunk)
        file.flush()
        await run_in_threadpool(os.fsync, file.fileno())
        return size
    raise HTTPException(400, "The upload broke off.")


def prepared(target: Path) -> int:
    """Make the folder of a file; return the size of the file that it will replace."""
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_dir():
            return target.stat().st_size if target.exists() else 0
    raise HTTPException(409, "There is a folder where a file is wanted, or a file where a folder is.")


async def finish(ticket: str, size: int, replaced: int) -> None:
    """Report the upload. If the response is lost, the same request may be sent again."""
    operation = {"query": FINISH, "variables": {"ticket": ticket, "size": size, "replaced": replaced}}
    for _ in range(3):
        with contextlib.suppress(httpx.TransportError, ValueError):
            answer = (await ostiary.post("/graphql", json=operation)).json()
            errors = answer.get("errors") or answer["data"]["finishUpload"]["errors"]
            if errors:
                raise HTTPException(409, errors[0]["message"])
            return
    raise HTTPException(503, "The upload could not be counted. Begin it again.")


async def download(request: Request) -> Response:
    _, path = await verified_ticket(request, "download")
    if not path.is_file():
        raise HTTPException(404, "There is no such file.")
    return FileResponse(path, headers={"X-Content-Type-Options": "nosniff"}, filename=path.name)


def made_ready() -> Starlette:
    for folder in (FILES, DRAFTS, USED):
        folder.mkdir(parents=True, exist_ok=True)
    forgotten = [used for used in USED.iterdir() if used.stat().st_mtime < time.time() - 2 * 86_400]
    for left in (*DRAFTS.iterdir(), *forgotten):
        left.unlink()
    return Starlette(
        routes=[Route("/files/{path:path}", upload, methods=["PUT"]), Route("/files/{path:path}", download)]
    )


if __name__ == "__main__":
    uvicorn.run(made_ready(), port=int(sys.argv[1]) if len(sys.argv) > 1 else 5001)
