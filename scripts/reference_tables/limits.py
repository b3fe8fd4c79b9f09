"""Tables of limits: those of documents and requests, which are settings, and those that are fixed."""

import re
from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.alias_generators import to_pascal

from app.config import PASSWORD_CHARACTERS, Limits, RequestLimits
from app.domain import refs
from app.graphql.coercion.list_lengths import DEFAULT_MAX_ITEMS
from app.graphql.documents import admission, limits, persisted
from app.http import bodies, exact_json
from app.query import pagination
from app.rest import parameters, request_bodies
from app.services import api_tokens, bulk, checks, grants, identity_provider, validation
from app.services.audit import entries
from scripts.reference_tables.markdown import code, table

KIB = 1_024

RANGE = re.compile(r"[:,] [\d,]+ to [\d,]+(?=\.)")
"""The range at the end of a description, which has columns of its own here."""


def documents() -> str:
    """Return the limits of a GraphQL document."""
    return _section("Limits", Limits)


def requests() -> str:
    """Return the limits of a request and of a worker's connections."""
    return _section("RequestLimits", RequestLimits)


def _section(name: str, model: type[BaseModel]) -> str:
    rows = []
    for field, info in model.model_fields.items():
        least, maximum = (_bound(info.metadata, bound) for bound in ("ge", "le"))
        about = RANGE.sub("", info.description or "")
        rows.append([code(f"{name}.{to_pascal(field)}"), f"{info.default:,}", least, maximum, about])
    return table(["setting", "default", "least", "most", "counts"], rows)


def _bound(metadata: list[object], name: str) -> str:
    return next((f"{getattr(each, name):,}" for each in metadata if hasattr(each, name)), "")


LISTS: Mapping[str, int] = {
    "items of a page: `first` or `last`": pagination.MAX_SIZE,
    "items of a page without `first` and `last`": pagination.DEFAULT_SIZE,
    "comparisons in one filter": pagination.MAX_COMPARISONS,
    "levels of a filter": pagination.MAX_FILTER_DEPTH,
    "values of `in`": pagination.MAX_CHOICES,
    "terms of `orderBy`": pagination.MAX_TERMS,
    "ids of `nodes`": refs.MAX_NODES,
    "questions in one `checkAccessBatch`": checks.MAX_CHECKS,
    "entries in one bulk mutation, such as `createUsers` or `grantAccessBatch`": bulk.MAX_ENTRIES,
    "entries of groups and users in one access configuration": grants.MAX_ENTRIES,
    "API tokens of one user": api_tokens.MAX_TOKENS,
    "orgs, and resources, that one API token is limited to": api_tokens.MAX_TARGETS,
    "items of every other list among the variables": DEFAULT_MAX_ITEMS,
    "fields of a form, parts of a multipart body": request_bodies.MAX_FIELDS,
    "headers of a part of a multipart body": request_bodies.MAX_PART_HEADERS,
    "parameters of the Content-Disposition of a part": request_bodies.MAX_PART_PARAMETERS,
    "items of a list in a REST body": parameters.MAX_TEXTS,
    "numbers in one JSON body of more than 16 characters that are not in the shortest form": exact_json.MAX_UNUSUAL_NUMBERS,  # noqa: E501 - a row
    "documents in the store of persisted queries of a worker": persisted.MAX_TEXTS,
    "new documents that wait for their turn, for each kind of caller in a worker": admission.MAX_WAITING,
}

VALUES: Mapping[str, str] = {
    "header Content-Type": f"{bodies.MAX_MEDIA_TYPE_BYTES:,} bytes at most",
    "header of a part of a multipart body": f"{request_bodies.MAX_PART_HEADER_BYTES:,} bytes at most",
    "user name": code(validation.USER_NAME.pattern),
    "slug": code(validation.SLUG.pattern),
    "name of an org, a group, a resource or an API token": f"{validation.MAX_TITLE} characters at most",
    "name of a role": f"{validation.MAX_ROLE_NAME} characters at most",
    "e-mail address": f"{validation.MAX_EMAIL} characters at most",
    "description": f"{validation.MAX_DESCRIPTION:,} characters at most",
    "reason of a lock": f"{validation.MAX_REASON:,} characters at most",
    "password": f"{PASSWORD_CHARACTERS:,} characters at most",
    "metadata of a user or a resource": f"{validation.MAX_METADATA_BYTES // KIB} KiB of JSON at most",
    "name in a GraphQL document": f"{limits.MAX_NAME_LENGTH:,} characters at most",
    "what the audit log keeps of an object before, and after, a change": f"{entries.MAX_CHANGE // KIB} KiB at most",
    "answer of an identity provider": f"{identity_provider.MAX_ANSWER_BYTES // KIB} KiB at most, in {identity_provider.MAX_ANSWER_SECONDS:.0f} seconds",  # noqa: E501 - a row
}


def lists() -> str:
    """Return how many items lists may have."""
    return table(["list", "at most"], [[name, f"{maximum:,}"] for name, maximum in LISTS.items()])


def values() -> str:
    """Return how long values may be."""
    return table(["value", "form"], VALUES.items())
