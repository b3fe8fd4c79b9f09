"""The OpenAPI 3.1 description of the REST API, made from its table of routes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from app import __version__
from app.config import Settings
from app.rest import examples, idempotency, models
from app.rest.parameters import NEW_PASSWORD, Field
from app.rest.request_bodies import JSON, Body, types
from app.rest.routing import SAFE, AuthMode, Route
from app.rest.status_codes import refusals
from app.services import mutation_keys

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A group of routes in the description."""

    name: str
    about: str
    routes: tuple[Route, ...]


_ABOUT = """\
Users, roles, orgs, their members and datasets, as in the documented API of DroneDB Registry. Use GraphQL at \
`/graphql` for everything else, such as groups, grants and access.

Sign in with `POST /users/authenticate`. Send the token as `Authorization: Bearer`, or let a browser send the cookie \
`{cookie}`. A change with a cookie must come from one of this site's own pages.

Fixed segments of a path and names of fields match in any letter case, and a path may end with a slash. \
Unknown fields are ignored. Null for an optional field means absent. \
Paths with GET also accept HEAD.

A change that lists the header `If-Match` compares it with the object and is 412 if it does not match, as is such a \
change with `If-None-Match: *`. Any other change with one of these headers is refused with 400, since it has \
nothing to compare.

An error is a status and `{{"error", "noRetry"}}`. An unknown path is 404, an unsupported method 405 with \
`Allow`. Header fields that are too large or too many are 431, a request that is not sent in time is 408. \
An unexpected error is 500, and its text has the error id of the log. \
{permitted}

With an identity provider (the setting `ExternalAuthUrl`), it manages the accounts, and operations that change \
them are refused with 400; each of them says so."""

_FORBIDDEN = "A signed-in user without the permission gets 403."
_FORBIDDEN_FOR_DRONE_DB = (
    "This server is adapted to DroneDB's own clients (the setting `DroneDbClients`): a signed-in user without the "
    "permission gets 401, and `expires` is in Unix seconds."
)
_EXTERNALLY_MANAGED = "Refused with 400 if an identity provider manages the accounts (`ExternalAuthUrl`)."


def document(sections: Sequence[Section], settings: Settings, server: str = "/") -> dict[str, Any]:
    """Return the OpenAPI document for a server at this URL prefix."""
    table = [route for section in sections for route in section.routes]
    responses, schemas = _response_schemas(table, settings)
    paths: dict[str, dict[str, Any]] = {}
    for section in sections:
        for route in section.routes:
            operation = _Operation(route, responses[route.name], settings).describe(section.name)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": _info(settings),
        "servers": [{"url": server, "description": "This server."}],
        "tags": [{"name": section.name, "description": section.about} for section in sections],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _schemes(settings)},
    }


def _info(settings: Settings) -> dict[str, Any]:
    permitted = _FORBIDDEN_FOR_DRONE_DB if settings.drone_db_clients else _FORBIDDEN
    return {
        "title": "Ostiary",
        "summary": "Who may do what with which resource of a data registry.",
        "description": _ABOUT.format(cookie=settings.auth_cookie_name, permitted=permitted),
        "version": __version__,
        "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    }


def _schemes(settings: Settings) -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The token from the sign-in. An invalid token is refused.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.auth_cookie_name,
            "description": "The same token, set by the sign-in. A request with an invalid cookie is anonymous.",
        },
    }


_SECURITY: dict[AuthMode, list[dict[str, list[str]]]] = {
    AuthMode.NONE: [],
    AuthMode.OPTIONAL: [{}, {"bearer": []}, {"cookie": []}],
    AuthMode.REQUIRED: [{"bearer": []}, {"cookie": []}],
}


class _Untitled(GenerateJsonSchema):
    """Omits the titles of properties, which repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _response_schemas(table: Sequence[Route], settings: Settings) -> tuple[dict[str, Schema | None], dict[str, Schema]]:
    """Return the response schema of each operation, None for no body, and the component schemas."""
    types = [
        (route.name, route.response_type) for route in table if route.response_type not in (None, models.PlainText)
    ]
    adapters = [(name, TypeAdapter(each)) for name, each in [*types, ("", models.Error)]]
    by_operation, definitions = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in adapters],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Untitled,
    )
    json_responses: dict[str, Schema] = {name: dict(schema) for (name, _), schema in by_operation.items()}
    schemas: dict[str, Schema] = definitions["$defs"]
    kind, end = schemas["Session"]["properties"]["expires"], schemas["Session"]["properties"]["expiresAt"]
    kind |= {"type": "integer"} if settings.drone_db_clients else {"type": "string", "format": end["format"]}
    del kind["anyOf"]
    for schema in (*json_responses.values(), *schemas.values()):
        _merge_null(schema)
    others = {route.name: {"type": "string"} if route.response_type is models.PlainText else None for route in table}
    return {**others, **json_responses}, dict(sorted(schemas.items()))


@dataclass(frozen=True, slots=True)
class _Operation:
    """The description of one route. `response` is None for no body."""

    route: Route
    response: Schema | None
    settings: Settings

    def describe(self, tag: str) -> dict[str, Any]:
        about = self.route.description
        operation: dict[str, Any] = {
            "operationId": self.route.name,
            "tags": [tag],
            "summary": re.split(r"[;:.](?:\s|$)", about)[0],
            "description": f"{about} {_EXTERNALLY_MANAGED}" if self.route.needs_local_accounts else about,
            "security": _SECURITY[self.route.auth_mode],
        }
        if parameters := [*self._parameters()]:
            operation["parameters"] = parameters
        if self.route.body:
            operation["requestBody"] = self._body()
        return {**operation, "responses": {str(self.route.status): self._success(), **self._refusals()}}

    def _parameters(self) -> Iterator[dict[str, Any]]:
        if self.route.has_revision:
            yield _IF_NONE_MATCH if self.route.method in SAFE else _IF_MATCH
        for name in self.route.parameter_names:
            yield {
                "name": name,
                "in": "path",
                "required": True,
                "description": examples.WORDS[name],
                "schema": {"type": "string", "minLength": 1},
                "example": examples.VALUES[name],
            }
        if self.route.takes_key:
            schema = {"type": "string", "minLength": 1, "maxLength": mutation_keys.MAX_LENGTH, "pattern": "^[ -~]+$"}
            example = {"example": "3f0c2a8e-6f57-4f0e-9a51-0d1f5f6f2c11"}
            yield {
                "name": idempotency.HEADER,
                "in": "header",
                "description": idempotency.ABOUT,
                "schema": schema,
            } | example
        for field in self.route.query:
            schema = dict(field.kind.schema)
            parameter = {"name": field.name, "in": "query", "description": field.about, "schema": schema}
            yield parameter | ({"example": examples.VALUES[field.name]} if field.name in examples.VALUES else {})

    def _body(self) -> dict[str, Any]:
        is_document = bool(self.route.body & Body.FREE)
        content = {
            kind: {"schema": dict(_DOCUMENT) if is_document else self._object(has_null=kind == JSON)}
            for kind in types(self.route.body)
        }
        is_required = is_document or any(field.required for field in self.route.fields)
        return {"description": "Fields of the request.", "required": is_required, "content": content}

    def _object(self, *, has_null: bool) -> Schema:
        """Return the schema of a body. In JSON, null means absent.

        Generators name the type of a body by its title. Without one they name it like the parameters of the operation.
        """
        fields = self.route.fields
        title = f"{self.route.name[:1].upper()}{self.route.name[1:]}{'Body' if has_null else 'Form'}"
        properties = {field.name: self._value(field, has_null=has_null) for field in fields}
        required = [field.name for field in fields if field.required]
        return {
            "type": "object",
            "title": title,
            "properties": properties,
            **({"required": required} if required else {}),
        }

    def _value(self, field: Field, *, has_null: bool) -> Schema:
        schema, policy = dict(field.kind.schema), self.settings.password_policy
        if field.kind is NEW_PASSWORD and policy is not None:
            schema["minLength"] = policy.min_length
        elif field.required and schema.get("type") == "string":
            schema["minLength"] = 1
        if has_null and not field.required:
            schema = _or_null(schema)
        example = {"examples": [examples.VALUES[field.name]]} if field.name in examples.VALUES else {}
        return {**schema, "description": field.about, **example}

    def _success(self) -> dict[str, Any]:
        success: dict[str, Any] = {"description": "Success." if self.response else "Success, without a body."}
        if headers := self._headers():
            success["headers"] = headers
        if self.response:
            kind = "text/plain" if self.route.response_type is models.PlainText else JSON
            success["content"] = {kind: {"schema": self.response}}
        return success

    def _headers(self) -> dict[str, Any]:
        text = {"schema": {"type": "string"}}
        if self.route.has_revision and self.route.method in SAFE:
            return {"ETag": {"description": "The revision of the object and a hash of the response.", **text}}
        if self.route.status == 201:  # noqa: PLR2004 - statuses are their own names
            return {"Location": {"description": "Path of the new object.", "required": True, **text}}
        if self.route.response_type is models.Session:
            return {"Set-Cookie": {"description": "Cookie with the token; not set for pages of other sites.", **text}}
        return {}

    def _refusals(self) -> dict[str, Any]:
        reasons = refusals(self.route, drone_db_clients=self.settings.drone_db_clients)
        refused = {str(status): _refusal(status, reason) for status, reason in reasons.items()}
        return {"304": _NOT_MODIFIED, **refused} if self.route.has_revision and self.route.method in SAFE else refused


_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that was read. 412 if the object has changed since then; absent or `*` for any state. "
    "Only the revision in it counts, not the hash of the response; for a new visibility of a dataset also the revision "
    "of the access configuration. A weak tag, `W/…`, never matches.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag that was read. 304 without a body if the response is still the same.",
    "schema": {"type": "string"},
}
_NOT_MODIFIED = {"description": "The client has this response already, by `If-None-Match`."}

_DOCUMENT = {"type": "object", "examples": [examples.DOCUMENT]}


def _merge_null(value: Any) -> None:
    """Write `X or null` as a list of types wherever X is no reference: more generators read it than a union."""
    if isinstance(value, dict):
        match value.get("anyOf"):
            case [{"type": str(kind)} as schema, {"type": "null"}]:
                del value["anyOf"]
                value |= {**schema, "type": [kind, "null"]}
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        _merge_null(part)


def _or_null(schema: Schema) -> Schema:
    nullable = {**schema, "type": [schema["type"], "null"]}
    return nullable | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


_REFUSAL_HEADERS = {
    401: ("WWW-Authenticate", "Authentication scheme."),
    429: ("Retry-After", "Seconds to wait before the next attempt."),
}


def _refusal(status: int, reason: str) -> dict[str, Any]:
    refusal: dict[str, Any] = {"description": reason}
    if status in _REFUSAL_HEADERS:
        name, about = _REFUSAL_HEADERS[status]
        refusal["headers"] = {name: {"description": about, "required": True, "schema": {"type": "string"}}}
    return {**refusal, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
