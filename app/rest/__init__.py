"""The REST face: a table of thin routes over the same services as GraphQL."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.routing import BaseRoute

from app.config import Settings
from app.rest import datasets, docs, members, memberships, metadata, orgs, roles, session, storage, system, users
from app.rest.errors import error_response, unexpected_response
from app.rest.openapi import Section
from app.rest.routing import RestContext, RestRouter

__all__ = ["SECTIONS", "TABLE", "RestContext", "create_router", "description", "error_response", "unexpected_response"]

SECTIONS = (
    Section("Signing in", "A token for a password, a newer one for a token, and new passwords.", session.ROUTES),
    Section("Users", "Making, listing, changing and deleting those who sign in.", users.ROUTES),
    Section("Roles", "What users hold in the registry as a whole; GraphQL says what a role permits.", roles.ROUTES),
    Section("Storage", "How much somebody stores, and may store.", storage.ROUTES),
    Section("Metadata", "JSON objects about users, kept as they come.", metadata.ROUTES),
    Section("Orgs of a user", "Where she belongs, as administrators see and set it.", memberships.ROUTES),
    Section("Orgs", "What resources belong to.", orgs.ROUTES),
    Section("Members", "Who belongs to an org, as its own people see and set it.", members.ROUTES),
    Section("Datasets", "The resources of the type DATASET.", datasets.ROUTES),
    Section("Server", "What this server is, and what it does.", system.ROUTES),
)
TABLE = tuple(route for section in SECTIONS for route in section.routes)


def create_router(house_of: Callable[[Request], RestContext]) -> RestRouter:
    """One Starlette route that answers every path of the table."""
    return RestRouter(TABLE, house_of)


def description(settings: Settings) -> list[BaseRoute]:
    """What says in OpenAPI how this face is spoken to, for programs and for people."""
    return docs.routes(SECTIONS, settings)
