"""Routes that move the datasets of an org to another one."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from app.rest import models
from app.rest.parameters import FLAG, TEXT, TEXTS, Field, choice
from app.rest.request_bodies import Body
from app.rest.responses import json, rejected
from app.rest.routing import AuthMode, Call, Route
from app.services import org_merging, resource_moves, validation
from app.services.resource_moves import Move, OnSlugConflict


async def _move(call: Call) -> Response:
    data = call.fields
    async with call.change("moveResources") as tx:
        _, moves = await resource_moves.move_resources(
            tx,
            call.viewer,
            ("slug", data["sourceOrgSlug"]),
            ("slug", data["destinationOrgSlug"]),
            data["datasetSlugs"],
            _on_conflict(data),
            call.app.storage_policy,
            "DATASET",
        )
    results = _to_json(moves)
    return json(results) if any(result["success"] for result in results) else rejected(results)


async def _merge(call: Call) -> Response:
    data = call.fields
    deletes_source = data.get("deleteSourceOrganization")
    async with call.change("mergeOrgs") as tx:
        merged = await org_merging.merge_orgs(
            tx,
            call.viewer,
            ("slug", data["sourceOrgSlug"]),
            ("slug", data["destinationOrgSlug"]),
            _on_conflict(data),
            call.app.storage_policy,
            deletes_source=deletes_source is None or deletes_source,
        )
    results = _to_json(merged.moves)
    moved = sum(result["success"] for result in results)
    return json(
        {
            "sourceOrgSlug": validation.normalize_key(data["sourceOrgSlug"]),
            "destinationOrgSlug": validation.normalize_key(data["destinationOrgSlug"]),
            "datasetResults": results,
            "sourceOrganizationDeleted": merged.is_source_deleted,
            "datasetsMovedCount": moved,
            "datasetsFailedCount": len(results) - moved,
        }
    )


def _on_conflict(data: Any) -> OnSlugConflict:
    return OnSlugConflict(data.get("conflictResolution") or 0)


def _to_json(moves: Sequence[Move]) -> list[dict[str, Any]]:
    return [
        {
            "originalSlug": move.slug,
            "newSlug": move.new_slug,
            "success": move.problem is None,
            "error": None if move.problem is None else move.problem.message,
        }
        for move in moves
    ]


ON_CONFLICT = choice("HaltOnConflict", "Overwrite", "Rename", by_name=True)

_ORGS = (
    Field("sourceOrgSlug", TEXT, "The org to take from, in any letter case.", required=True, input_fields=("source",)),
    Field(
        "destinationOrgSlug",
        TEXT,
        "The org to move to, in any letter case; not the source.",
        required=True,
        input_fields=("destination",),
    ),
)
_ON_CONFLICT = Field(
    "conflictResolution",
    ON_CONFLICT,
    "What happens to a dataset whose slug is taken in the destination: HaltOnConflict (0, if absent) leaves it in the "
    "source; Overwrite (1) deletes the one in the destination, if it has the same type; Rename (2) gives the moved one "
    "the first free slug of `slug_1`, `slug_2` and so on.",
)

ROUTES = (
    Route(
        "POST",
        "/sys/move-datasets",
        _move,
        AuthMode.REQUIRED,
        "Move datasets of one org to another, and say for each if it was moved; needs ORGS_MANAGE. 400, and nothing is "
        "moved, while one of them is locked or if they exceed a quota. If none was moved, the call counts as rejected.",
        Body.JSON,
        (
            *_ORGS,
            Field(
                "datasetSlugs",
                TEXTS,
                "1 to 1,000 slugs of datasets of the source, each once, in any letter case.",
                required=True,
                input_fields=("slugs",),
            ),
            _ON_CONFLICT,
        ),
        response_type=list[models.MovedDataset],
        refusals=(403, 404),
        name="moveDatasets",
    ),
    Route(
        "POST",
        "/sys/merge-organizations",
        _merge,
        AuthMode.REQUIRED,
        "Move all resources and members of an org to another one, and delete the org if nothing is left in it; needs "
        "ORGS_MANAGE. A user in both keeps the higher level; the owner of the source becomes a member with level 3 "
        "(Admin). 400, and nothing is moved, while a resource is locked or if they exceed a quota.",
        Body.JSON,
        (
            *_ORGS,
            _ON_CONFLICT,
            Field("deleteSourceOrganization", FLAG, "Delete the empty source afterwards; true if absent."),
        ),
        response_type=models.MergedOrgs,
        refusals=(403, 404),
        name="mergeOrganizations",
    ),
)
