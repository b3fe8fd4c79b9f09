"""Routes of datasets, the resources of the type DATASET."""

from typing import Any

import orjson
from starlette.responses import Response

from app import policy
from app.db import Transaction
from app.db.statements import Row
from app.db.tables import Org, Resource
from app.db.types import format_instant
from app.domain import resource_roles
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.refs import RowRef
from app.query.relations import FieldSpec, Layout, flag, layout
from app.rest import dataset_fields, models
from app.rest.etags import tagged
from app.rest.parameters import FLAG, SLUG, TEXT, Field
from app.rest.request_bodies import Body
from app.rest.responses import convert_rows, created, json, no_content
from app.rest.routing import AuthMode, Call, Route, load_org, require_result
from app.services import audit, read_graph, resource_renaming, resources, validation
from app.services.dataset_visibility import (
    FOR_ANYONE,
    FOR_SIGNED_IN,
    Visibility,
    VisibilityChange,
    VisibilityGrants,
    set_visibility,
)

DATASET = 7
"""Entry type of a dataset in the documented API."""


def _cells(meaning: VisibilityGrants) -> Layout:
    return layout(
        Resource,
        "id",
        "slug",
        "name",
        "description",
        "details",
        "size_bytes",
        "created_at",
        "updated_at",
        visibility=FieldSpec(sql=meaning.level_sql),
        mask=FieldSpec(sql=policy.effective_mask),
        deletes=flag(policy.deletes_in_org),
    )


CELLS = _cells(FOR_SIGNED_IN)

_CELLS = {False: (FOR_SIGNED_IN, CELLS), True: (FOR_ANYONE, _cells(FOR_ANYONE))}
"""The meaning of visibilities with the columns of a dataset, by the setting DroneDbClients."""

_WITH_REVISION = {
    flag: Layout((*cells.fields, *layout(Resource, "edit_revision", "revision", "id").fields))
    for flag, (_, cells) in _CELLS.items()
}
_MASK = [name for name, *_ in CELLS.fields].index("mask")
_KEY = layout(Resource, "id")
_ORG = layout(Org, "id")


def _meaning(call: Call) -> tuple[VisibilityGrants, Layout]:
    return _CELLS[call.context.settings.drone_db_clients]


async def _list(call: Call) -> Response:
    reads = call.reads
    org = (await load_org(reads, call.path_parameters["orgSlug"], _ORG))[0]
    rows = (await reads.related(read_graph.org_datasets, _meaning(call)[1], [org])).get(org, [])
    return json(await convert_rows(rows, _to_json))


async def _entry(call: Call) -> Response:
    row = await _load(call, _WITH_REVISION[call.context.settings.drone_db_clients])
    dataset = _to_json(row)
    url = call.request.url
    scheme = "ddb" if url.scheme == "https" else "ddb+unsafe"
    name = dataset["properties"]["meta"]["name"]
    entry = {
        "path": f"{scheme}://{url.netloc}/{_path(call)[1]}",
        "hash": None,
        "type": DATASET,
        "properties": {**dataset["properties"], "permissions": dataset["permissions"]},
        "mtime": name["mtime"],
        "size": dataset["size"],
        "depth": 0,
        "point_geom": None,
        "polygon_geom": None,
    }
    return tagged(call.request, [entry], *_tag_parts(row))


async def _show(call: Call) -> Response:
    row = await _load(call, _WITH_REVISION[call.context.settings.drone_db_clients])
    return tagged(call.request, _to_json(row), *_tag_parts(row))


def _tag_parts(row: Row) -> tuple[Any, ...]:
    """Return the dataset, its revision, and that of its access configuration for a viewer who administers it."""
    mask, (revision, access_revision, key) = row[_MASK], row[len(CELLS.fields) : len(CELLS.fields) + 3]
    dataset = (audit.RESOURCE, key)
    return (dataset, revision, access_revision) if mask & resource_roles.ADMIN else (dataset, revision)


async def _load(call: Call, layout: Layout | None = None) -> Row:
    """Return the dataset in the path. Raises NotFound, also for a resource of another type."""
    row = await call.reads.one(read_graph.dataset_at, layout or _meaning(call)[1], _path(call)[1])
    if row is None:
        raise NotFound("There is no such dataset.", ("dsSlug",))
    return row


def _path(call: Call) -> RowRef:
    return "path", validation.normalize_key(f"{call.path_parameters['orgSlug']}/{call.path_parameters['dsSlug']}")


async def _dataset_ref(call: Call) -> RowRef:
    """Return the reference to the dataset in the path. Raises NotFound for a resource of another type."""
    await _load(call, _KEY)
    return _path(call)


def _to_json(row: Row) -> dict[str, Any]:
    _, slug, name, tagline, details, size, created_at, updated_at, level, mask, deletes, *_ = row
    facts = {"id": 0, "mtime": updated_at.timestamp()}
    entries = details.get("entries")
    return {
        "slug": slug,
        "creationDate": format_instant(created_at, timespec="auto"),
        "properties": {
            "entries": entries if type(entries) is int else 0,
            "public": level == Visibility.PUBLIC,
            "meta": {
                "name": {"data": name, **facts},
                "visibility": {"data": level, **facts},
                "tagline": {"data": tagline, **facts},
            },
        },
        "size": size,
        "permissions": {
            "canRead": bool(mask & resource_roles.DATA_READ),
            "canWrite": mask & resource_roles.WRITE == resource_roles.WRITE,
            "canDelete": bool(mask & resource_roles.ADMIN or deletes),
        },
        "hasThumbnail": None,
    }


async def _create(call: Call) -> Response:
    data, slug = call.fields, call.fields["slug"]
    org = call.path_parameters["orgSlug"]
    new = resources.ResourceCreate(
        ("slug", org), "DATASET", slug, data.get("name") or slug, description=data.get("tagline") or ""
    )
    visibility = data.get("visibility")
    if visibility is None and call.context.settings.drone_db_clients:
        visibility = Visibility.PRIVATE
    async with call.change("createResource") as tx:
        key = await resources.create_resource(tx, call.viewer, new)
        await _set_visibility(call, tx, ("id", key), visibility, is_new=True)
    return created(call.request, await _show_by_id(call, key), "orgs", validation.normalize_key(org), "ds", slug)


async def _show_by_id(call: Call, key: int) -> dict[str, Any]:
    """Return a dataset that the viewer has just changed, and sees."""
    row = await call.reads.one(read_graph.dataset_by_id, _meaning(call)[1], key)
    return _to_json(require_result(row))


async def _update(call: Call) -> Response:
    fields = call.fields
    changes = resources.ResourceUpdate(name=fields.get("name"), description=fields.get("tagline"))
    await _change(call, await _dataset_ref(call), changes, fields.get("visibility"))
    return no_content()


async def _change(call: Call, dataset: RowRef, changes: resources.ResourceUpdate, visibility: int | None) -> None:
    """Change texts and visibility. A lock forbids new texts, not a new visibility alone."""
    async with call.change("updateResource") as tx:
        if changes.values or visibility is None:
            await resources.update_resource(tx, call.viewer, dataset, changes)
        await _set_visibility(call, tx, dataset, visibility)


async def _set_visibility(
    call: Call, tx: Transaction, resource: RowRef, visibility: int | None, *, is_new: bool = False
) -> None:
    if visibility is not None:
        revisions = call.condition.access_revisions
        new = VisibilityChange(Visibility(visibility), _meaning(call)[0], is_new=is_new, if_revisions=revisions)
        await set_visibility(tx, call.viewer, resource, new)


async def _rename(call: Call) -> Response:
    slug, dataset = call.fields["slug"], await _dataset_ref(call)
    if DEFAULT_SLUG in (slug, validation.normalize_key(call.path_parameters["dsSlug"])):
        raise InvalidInput(f"A dataset `{DEFAULT_SLUG}` cannot be renamed, and none can get this name.", ("slug",))
    async with call.change("renameResource") as tx:
        key = await resource_renaming.rename_resource(tx, call.viewer, dataset, slug)
    return json(await _show_by_id(call, key))


async def _set_meta(call: Call) -> Response:
    dataset, key, value = await _dataset_ref(call), call.fields["key"].lower(), _parse_value(call.fields["data"])
    if call.fields.get("path"):
        raise InvalidInput("`path` must be empty: this server has no metadata of files.", ("path",))
    changes, visibility = resources.ResourceUpdate(), None
    match key, value:
        case "name", str():
            changes = resources.ResourceUpdate(name=value)
        case "tagline", str() | None:
            changes = resources.ResourceUpdate(description=value or "")
        case "visibility", _:
            visibility = _read_visibility(value)
        case "name" | "tagline", _:
            raise InvalidInput("`data` must be a JSON text in quotes.", ("data",))
        case _:
            raise InvalidInput("`key` must be name, tagline or visibility: nothing else can be set here.", ("key",))
    await _change(call, dataset, changes, visibility)
    return json(_to_json(await _load(call))["properties"]["meta"])


async def _set_attributes(call: Call) -> Response:
    dataset, attributes = await _dataset_ref(call), _parse_value(call.fields["attrs"], "attrs")
    is_public = attributes.get("public") if isinstance(attributes, dict) else None
    if not isinstance(is_public, bool) or len(attributes) > 1:
        raise InvalidInput('`attrs` must be {"public": true} or {"public": false}.', ("attrs",))
    visibility = Visibility.PUBLIC if is_public else Visibility.PRIVATE
    await _change(call, dataset, resources.ResourceUpdate(), visibility)
    return json({"public": is_public})


def _parse_value(text: str, name: str = "data") -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidInput(f"`{name}` must be JSON, such as a text in quotes.", (name,)) from None


def _read_visibility(value: Any) -> int:
    try:
        number: int = dataset_fields.VISIBILITY.read(value)
    except ValueError as error:
        raise InvalidInput(f"`data` {error}.", ("data",)) from None
    return number


async def _delete(call: Call) -> Response:
    dataset = await _dataset_ref(call)
    async with call.change("deleteResource") as tx:
        await resources.delete_resource(tx, call.viewer, dataset)
    return no_content()


DEFAULT_SLUG = "default"
"""The slug of a dataset that DroneDB's clients expect to stay."""

ROUTES = (
    Route(
        "GET",
        "/orgs/{orgSlug}/ds",
        _list,
        AuthMode.OPTIONAL,
        "The datasets of an org that the viewer may see, by name.",
        query=(Field("includeThumbnailCheck", FLAG, "Accepted without effect: there are no thumbnails."),),
        response_type=list[models.Dataset],
        refusals=(404,),
        name="listDatasets",
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _entry,
        AuthMode.OPTIONAL,
        "A dataset as the only entry of a list of files, for the `ddb` command line.",
        response_type=list[models.Entry],
        refusals=(404,),
        name="getDatasetEntry",
        has_revision=True,
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}/ds/{dsSlug}/ex",
        _show,
        AuthMode.OPTIONAL,
        "A dataset, with the fields of the list.",
        response_type=models.Dataset,
        refusals=(404,),
        name="getDataset",
        has_revision=True,
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/ds",
        _create,
        AuthMode.REQUIRED,
        "Make a dataset; needs level 1 (ReadWrite) in the org. "
        "Without `visibility` every signed-in user downloads it; with the setting DroneDbClients it is private.",
        Body.ANY,
        dataset_fields.NEW,
        response_type=models.Dataset,
        status=201,
        refusals=(403, 404),
        answers_400=(Conflict,),
        name="createDataset",
    ),
    Route(
        "PUT",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _update,
        AuthMode.REQUIRED,
        "Change the name or the tagline of a dataset, which needs METADATA_WRITE and no lock, or who may read it.",
        Body.ANY,
        dataset_fields.CHANGES,
        status=204,
        refusals=(403, 404),
        name="updateDataset",
        has_revision=True,
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/ds/{dsSlug}/rename",
        _rename,
        AuthMode.REQUIRED,
        "Change the slug of a dataset, and so its path; needs METADATA_WRITE on it, and level 1 (ReadWrite) in its org "
        "or RESOURCES_MANAGE. 400 while it is locked, if the slug is taken, and for the slug `default`.",
        Body.ANY,
        (Field("slug", SLUG, "2 to 128 of a to z, 0 to 9, _ and -; unique in the org.", required=True),),
        response_type=models.Dataset,
        refusals=(403, 404),
        answers_400=(Conflict,),
        name="renameDataset",
        has_revision=True,
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/ds/{dsSlug}/meta/set",
        _set_meta,
        AuthMode.REQUIRED,
        "Set the name, the tagline or the visibility of a dataset, as PUT does, and return all three.",
        Body.ANY,
        dataset_fields.META,
        response_type=models.Meta,
        refusals=(403, 404),
        name="setDatasetMeta",
        has_revision=True,
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/ds/{dsSlug}/chattr",
        _set_attributes,
        AuthMode.REQUIRED,
        "Make a dataset public (visibility 2) or private (0), for old clients; needs ADMIN on it.",
        Body.ANY,
        (Field("attrs", TEXT, 'JSON text: `{"public": true}` or `{"public": false}`.', required=True),),
        response_type=models.Attributes,
        refusals=(403, 404),
        name="setDatasetAttributes",
        has_revision=True,
    ),
    Route(
        "DELETE",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _delete,
        AuthMode.REQUIRED,
        "Delete a dataset; needs ADMIN on it, or level 2 (ReadWriteDelete) in its org. 400 while it is locked.",
        status=204,
        refusals=(403, 404),
        name="deleteDataset",
        has_revision=True,
    ),
)
