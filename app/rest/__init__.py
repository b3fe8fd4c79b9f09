"""The REST API: a table of thin routes over the same services as GraphQL."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.routing import BaseRoute

from app.config import Settings
from app.rest import (
    datasets,
    docs,
    members,
    memberships,
    metadata,
    org_administration,
    orgs,
    roles,
    session,
    storage,
    system,
    users,
)
from app.rest.errors import error_response, unexpected_response
from app.rest.openapi import Section
from app.rest.routing import RestContext, RestRouter

SECTIONS = (
    Section("Signing in", "Get a token for a password, refresh a token, change passwords.", session.ROUTES),
    Section("Users", "Create, list, change and delete users.", users.ROUTES),
    Section("Roles", "Roles of users in the registry. GraphQL lists the permissions of a role.", roles.ROUTES),
    Section("Storage", "Used storage and storage quota of a user.", storage.ROUTES),
    Section("Metadata", "JSON objects about users, stored unchanged.", metadata.ROUTES),
    Section("Orgs of a user", "Memberships of a user, for administrators.", memberships.ROUTES),
    Section("Orgs", "Organizations, which own resources.", orgs.ROUTES),
    Section("Members", "Members of an org, for the org itself.", members.ROUTES),
    Section("Datasets", "Resources of the type DATASET.", datasets.ROUTES),
    Section("Moving datasets", "Changes of several orgs at once, for administrators.", org_administration.ROUTES),
    Section("Server", "Version and features of this server.", system.ROUTES),
)
TABLE = tuple(route for section in SECTIONS for route in section.routes)


def create_router(get_context: Callable[[Request], RestContext]) -> RestRouter:
    """Return one Starlette route for all paths of the table."""
    return RestRouter(TABLE, get_context)


def description(settings: Settings) -> list[BaseRoute]:
    """Return the routes of the OpenAPI description."""
    return docs.routes(SECTIONS, settings)
