"""Routes of orgs."""

from typing import Any

from starlette.responses import Response

from app import policy
from app.db import Transaction
from app.db.statements import Row
from app.db.tables import Org
from app.db.types import format_instant
from app.domain.errors import InvalidInput, NotFound
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.reader import ListReader
from app.query.relations import Layout, flag, layout
from app.rest import models
from app.rest.etags import tagged
from app.rest.parameters import DESCRIPTION, FLAG, SLUG, TEXT, TITLE, Field
from app.rest.request_bodies import Body
from app.rest.responses import convert_rows, created, json, no_content
from app.rest.routing import AuthMode, Call, Route, load_org
from app.services import audit, orgs, read_graph

CELLS = layout(Org, "slug", "name", "description", "created_at", "is_public", owner=read_graph.org_owner_name)
"""Columns of every org response."""

_RIGHTS = layout(
    Org, writes=flag(policy.writes_org), deletes=flag(policy.deletes_org), manages=flag(policy.manages_org)
)
ORG = Layout((*CELLS.fields, *_RIGHTS.fields))
_ORG_WITH_REVISION = Layout((*ORG.fields, *layout(Org, "revision", "id").fields))


def plain(row: Row) -> dict[str, Any]:
    """Return the fields of every org response."""
    slug, name, description, created_at, is_public, owner = row[: len(CELLS.fields)]
    return {
        "slug": slug,
        "name": name,
        "description": description,
        "creationDate": format_instant(created_at, timespec="auto"),
        "owner": owner,
        "isPublic": bool(is_public),
    }


def _to_json(row: Row, viewer: Viewer) -> dict[str, Any]:
    """Return an org with the permissions of the viewer. A visible org is readable."""
    writes, deletes, manages = row[len(CELLS.fields) : len(ORG.fields)]
    rights = {
        "canRead": True,
        "canWrite": bool(writes),
        "canDelete": bool(deletes),
        "canManageMembers": bool(manages),
    }
    return {**plain(row), "permissions": None if viewer.user_id is None else rights}


async def _list(call: Call) -> Response:
    if call.query.get("ownedOnly"):
        viewer_id = policy.require_signed_in(call.viewer)
        rows = (await call.reads.related(read_graph.owned_orgs, ORG, [viewer_id])).get(viewer_id, [])
    elif call.viewer.user_id is None or call.query.get("includePublic"):
        rows = await call.reads.all(read_graph.orgs, ORG)
    else:
        rows = await call.reads.all(read_graph.my_orgs, ORG)
    return json(await convert_rows(rows, lambda row: _to_json(row, call.viewer)))


async def _list_public(call: Call) -> Response:
    rows = await call.reads.all(read_graph.public_orgs, CELLS)
    return json(await convert_rows(rows, lambda row: {**plain(row), "permissions": None}))


async def _show(call: Call) -> Response:
    row = await load_org(call.reads, call.path_parameters["orgSlug"], _ORG_WITH_REVISION)
    revision, key = row[len(ORG.fields) : len(ORG.fields) + 2]
    return tagged(call.request, _to_json(row, call.viewer), (audit.ORG, key), revision)


async def _one(reads: ListReader, slug: str) -> dict[str, Any]:
    return _to_json(await load_org(reads, slug, ORG), reads.viewer)


async def _create(call: Call) -> Response:
    data = call.fields
    owner = _user_ref(data.get("owner"))
    new = orgs.OrgCreate(data["slug"], data["name"], data.get("description") or "", bool(data.get("isPublic")), owner)
    async with call.change("createOrg") as tx:
        await orgs.create_org(tx, call.viewer, new)
    return created(call.request, await _one(call.reads, new.slug), "orgs", new.slug)


async def _update(call: Call) -> Response:
    data, org = call.fields, call.org_ref()
    changes = orgs.OrgUpdate(data.get("name"), data.get("description"), data.get("isPublic"))
    async with call.change("updateOrg") as tx:
        await orgs.update_org(tx, call.viewer, org, changes)
        if (owner := _user_ref(data.get("owner"))) is not None:
            await _transfer(call, tx, owner)
    return no_content()


async def _transfer(call: Call, tx: Transaction, owner: RowRef) -> None:
    """Transfer the org. An unknown owner is invalid input: the org of the path exists, so the status is not 404."""
    try:
        await orgs.keep_or_transfer_org(tx, call.viewer, call.org_ref(), owner)
    except NotFound as error:
        raise InvalidInput(error.message, error.path) from None


def _user_ref(user_name: str | None) -> RowRef | None:
    return ("user_name", user_name) if user_name else None


async def _delete(call: Call) -> Response:
    async with call.change("deleteOrg") as tx:
        await orgs.delete_org(tx, call.viewer, call.org_ref())
    return no_content()


_NEW = (
    Field("slug", SLUG, "2 to 128 of a to z, 0 to 9, _ and -; immutable.", required=True),
    Field("name", TITLE, "1 to 200 printable characters.", required=True),
    Field("description", DESCRIPTION, "At most 1,000 characters; empty if absent."),
    Field("isPublic", FLAG, "Make the org visible to everyone; false if absent."),
    Field("owner", TEXT, "User name of the owner; the viewer if absent. Another owner needs ORGS_MANAGE."),
)
_CHANGES = (
    Field("name", TITLE, "1 to 200 printable characters; absent keeps it."),
    Field("description", DESCRIPTION, "At most 1,000 characters; blank removes it, absent keeps it."),
    Field("isPublic", FLAG, "Make the org visible to everyone; absent keeps it."),
    Field(
        "owner", TEXT, "User name of the new owner; only the owner and ORGS_MANAGE may transfer it. Absent keeps it."
    ),
)

ROUTES = (
    Route(
        "GET",
        "/orgs",
        _list,
        AuthMode.OPTIONAL,
        "The orgs that the viewer owns or belongs to, by name. All orgs with ORGS_MANAGE, public orgs without a token.",
        query=(
            Field("ownedOnly", FLAG, "Only the orgs that the viewer owns; 401 without a token."),
            Field("includePublic", FLAG, "Also the public orgs that the viewer does not belong to."),
        ),
        response_type=list[models.Org],
        name="listOrgs",
    ),
    Route(
        "GET",
        "/orgs/public",
        _list_public,
        AuthMode.OPTIONAL,
        "All public orgs, by name. `permissions` is null.",
        response_type=list[models.Org],
        name="listPublicOrgs",
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}",
        _show,
        AuthMode.OPTIONAL,
        "An org. A private org is visible to its owner, its members and ORGS_MANAGE; others get 404.",
        response_type=models.Org,
        refusals=(404,),
        name="getOrg",
        has_revision=True,
    ),
    Route(
        "POST",
        "/orgs",
        _create,
        AuthMode.REQUIRED,
        "Create an org; needs ORGS_CREATE. 409 if the slug is taken.",
        Body.ANY,
        _NEW,
        response_type=models.Org,
        status=201,
        refusals=(403, 409),
        answers_400=(NotFound,),
        name="createOrg",
    ),
    Route(
        "PUT",
        "/orgs/{orgSlug}",
        _update,
        AuthMode.REQUIRED,
        "Change the sent fields of an org; needs level 1 (ReadWrite) in it. A slug in the body is ignored.",
        Body.ANY,
        _CHANGES,
        status=204,
        refusals=(403, 404),
        name="updateOrg",
        has_revision=True,
    ),
    Route(
        "DELETE",
        "/orgs/{orgSlug}",
        _delete,
        AuthMode.REQUIRED,
        "Delete an org with its resources; needs level 2 (ReadWriteDelete) in it. 400 if one of them is locked.",
        status=204,
        refusals=(403, 404),
        name="deleteOrg",
        has_revision=True,
    ),
)
