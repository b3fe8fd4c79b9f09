"""The OpenAPI 3.1 description of this face, made from the table that answers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from app import __version__
from app.config import Settings
from app.rest import examples, models
from app.rest.parameters import NEW_PASSWORD, Field
from app.rest.request_bodies import JSON, Body, types
from app.rest.routing import AuthMode, Route
from app.rest.status_codes import refusals

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """Routes that belong together, as the description groups them."""

    name: str
    about: str
    routes: tuple[Route, ...]


_ABOUT = """\
Users, roles, orgs, their members and datasets, as the documented registry API has them. Everything else, \
groups, grants and access among it, is asked and changed in GraphQL at `/graphql`.

Sign in with `POST /users/authenticate`. Send the token as `Authorization: Bearer`, or let a browser send the cookie \
`{cookie}`; a change by cookie must come from one of this site's own pages.

Letter case makes no difference in the fixed words of a path and in the names of fields, and a slash may end a path. \
Fields that are not known are ignored; null for a field that may be absent is as if it were absent, unless the field \
says otherwise. What answers GET answers HEAD too.

A refusal is a status and `{{"error", "noRetry"}}`. Unknown paths are 404, methods that a path does not take 405 with \
`Allow`. A request whose header fields are too large or too many is 431, one that is not sent in time 408. \
Anything may be 500: that is this server's fault, and the text names the id under which the log has it. \
{permitted}

With an external provider (the setting `ExternalAuthUrl`) accounts are kept there, and operations that change them \
are refused with 400; each says so."""

_FORBIDDEN = "Who is signed in and not permitted is told 403."
_FORBIDDEN_FOR_DRONE_DB = (
    "This server answers as DroneDB's own clients need it (the setting `DroneDbClients`): who is signed in and not "
    "permitted is told 401, and `expires` is in Unix seconds."
)
_ELSEWHERE = "Refused with 400 where an external provider keeps the accounts (the setting `ExternalAuthUrl`)."


def document(sections: Sequence[Section], settings: Settings, server: str = "/") -> dict[str, Any]:
    """The whole description, of a server at this path."""
    table = [route for section in sections for route in section.routes]
    answers, schemas = _shapes(table, settings)
    paths: dict[str, dict[str, Any]] = {}
    for section in sections:
        for route in section.routes:
            described = _Described(route, answers[route.name], settings).operation(section.name)
            paths.setdefault(route.path, {})[route.method.lower()] = described
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
            "description": "The token that signing in answers. A bad one is refused.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.auth_cookie_name,
            "description": "The same token, as signing in leaves it in a browser. With a bad one you are nobody.",
        },
    }


_SECURITY: dict[AuthMode, list[dict[str, list[str]]]] = {
    AuthMode.NONE: [],
    AuthMode.OPTIONAL: [{}, {"bearer": []}, {"cookie": []}],
    AuthMode.REQUIRED: [{"bearer": []}, {"cookie": []}],
}


class _Untitled(GenerateJsonSchema):
    """A property's title would be its name once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _shapes(table: Sequence[Route], settings: Settings) -> tuple[dict[str, Schema | None], dict[str, Schema]]:
    """The schema of each operation's answer, None for no body; and the shapes that they refer to."""
    given = [
        (route.name, route.response_type) for route in table if route.response_type not in (None, models.PlainText)
    ]
    wanted = [(name, TypeAdapter(shape)) for name, shape in [*given, ("", models.Error)]]
    made, found = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in wanted],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Untitled,
    )
    known: dict[str, Schema] = {name: dict(schema) for (name, _), schema in made.items()}
    schemas: dict[str, Schema] = found["$defs"]
    kind, end = schemas["Session"]["properties"]["expires"], schemas["Session"]["properties"]["expiresAt"]
    kind |= {"type": "integer"} if settings.drone_db_clients else {"type": "string", "format": end["format"]}
    del kind["anyOf"]
    answers = {route.name: {"type": "string"} if route.response_type is models.PlainText else None for route in table}
    return {**answers, **known}, dict(sorted(schemas.items()))


@dataclass(frozen=True, slots=True)
class _Described:
    """One route, as an operation."""

    route: Route
    gives: Schema | None
    settings: Settings

    def operation(self, tag: str) -> dict[str, Any]:
        about = self.route.description
        told: dict[str, Any] = {
            "operationId": self.route.name,
            "tags": [tag],
            "summary": re.split(r"[;:.](?:\s|$)", about)[0],
            "description": f"{about} {_ELSEWHERE}" if self.route.is_externally_managed else about,
            "security": _SECURITY[self.route.auth_mode],
        }
        if parameters := [*self._parameters()]:
            told["parameters"] = parameters
        if self.route.body:
            told["requestBody"] = self._body()
        return {**told, "responses": {str(self.route.status): self._success(), **self._refusals()}}

    def _parameters(self) -> Iterator[dict[str, Any]]:
        for word in self.route.parameter_names:
            yield {
                "name": word,
                "in": "path",
                "required": True,
                "description": examples.WORDS[word],
                "schema": {"type": "string", "minLength": 1},
                "example": examples.VALUES[word],
            }
        for field in self.route.query:
            told = {"name": field.name, "in": "query", "description": field.about, "schema": dict(field.kind.schema)}
            yield told | ({"example": examples.VALUES[field.name]} if field.name in examples.VALUES else {})

    def _body(self) -> dict[str, Any]:
        is_document = Body.DOCUMENT in self.route.body
        content = {
            kind: {"schema": dict(_DOCUMENT) if is_document else self._object(has_null=kind == JSON)}
            for kind in types(self.route.body)
        }
        is_required = is_document or any(field.required for field in self.route.fields)
        return {"description": "What is given.", "required": is_required, "content": content}

    def _object(self, *, has_null: bool) -> Schema:
        """A body by its fields; in JSON null stands for an absent one."""
        fields = self.route.fields
        properties = {field.name: self._value(field, has_null=has_null) for field in fields}
        required = [field.name for field in fields if field.required]
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def _value(self, field: Field, *, has_null: bool) -> Schema:
        schema, policy = dict(field.kind.schema), self.settings.password_policy
        if field.kind is NEW_PASSWORD and policy is not None:
            schema["minLength"] = policy.min_length
        elif field.required and schema.get("type") == "string":
            schema["minLength"] = 1
        if has_null and not field.required:
            schema = _or_null(schema)
        shown = {"examples": [examples.VALUES[field.name]]} if field.name in examples.VALUES else {}
        return {**schema, "description": field.about, **shown}

    def _success(self) -> dict[str, Any]:
        told: dict[str, Any] = {"description": "Done." if self.gives else "Done; there is no body."}
        if headers := self._headers():
            told["headers"] = headers
        if self.gives:
            kind = "text/plain" if self.route.response_type is models.PlainText else JSON
            told["content"] = {kind: {"schema": self.gives}}
        return told

    def _headers(self) -> dict[str, Any]:
        text = {"schema": {"type": "string"}}
        if self.route.status == 201:  # noqa: PLR2004 - statuses are their own names
            return {"Location": {"description": "The path of what was made.", "required": True, **text}}
        if self.route.response_type is models.Session:
            return {"Set-Cookie": {"description": "The token for a browser; not for other sites' pages.", **text}}
        return {}

    def _refusals(self) -> dict[str, Any]:
        told = refusals(self.route, drone_db_clients=self.settings.drone_db_clients)
        return {str(status): _refusal(status, when) for status, when in told.items()}


_DOCUMENT = {"type": "object", "examples": [examples.DOCUMENT]}


def _or_null(schema: Schema) -> Schema:
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [*schema["anyOf"], {"type": "null"}]}


_SAID_BESIDE = {
    401: ("WWW-Authenticate", "How to sign in."),
    429: ("Retry-After", "In how many seconds it may go."),
}


def _refusal(status: int, when: str) -> dict[str, Any]:
    told: dict[str, Any] = {"description": when}
    if status in _SAID_BESIDE:
        name, about = _SAID_BESIDE[status]
        told["headers"] = {name: {"description": about, "required": True, "schema": {"type": "string"}}}
    return {**told, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
