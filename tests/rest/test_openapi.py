"""The description of the REST API: it is whole, it is valid, and what the API answers is what it says."""

import html
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette

from app import rest
from app.config import Settings
from app.rest import examples, openapi
from app.rest.routing import build_routes
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.openapi_calls import GOOD, Askers, Described, Operation, operations
from tests.support.rest_toy import refusal

FORMS = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
FORMS |= {"application/merge-patch+json"}
MEMBERS = {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


@cache
def described(*, drone_db_clients: bool = False) -> Described:
    return openapi.document(rest.SECTIONS, Settings(drone_db_clients=drone_db_clients))


@pytest.mark.parametrize("drone_db_clients", [False, True])
def test_it_is_valid(drone_db_clients: bool) -> None:
    document = described(drone_db_clients=drone_db_clients)

    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_has_every_route_and_no_other() -> None:
    documented = {(each.method.upper(), each.path) for each in operations(described()).values()}

    assert documented == {(route.method, route.path) for route in rest.TABLE}
    assert len(operations(described())) == len(rest.TABLE), "a name stands there twice"


def test_names_are_words_that_a_program_can_use() -> None:
    assert [name for name in operations(described()) if not re.fullmatch(r"[a-z][A-Za-z]+", name)] == []


def test_everything_is_described() -> None:
    assert [where for where, element in _elements() if not (element.get("description") or "").strip()] == []


COMBINERS = {"$ref", "oneOf", "anyOf", "allOf"}


@pytest.mark.parametrize("drone_db_clients", [False, True])
def test_every_schema_has_a_type_that_generators_know(drone_db_clients: bool) -> None:
    """A property that is only null makes OpenAPI Generator crash, and one without a type is `any`."""
    document = described(drone_db_clients=drone_db_clients)
    schemas = dict(_schemas(document, "#"))

    assert len(schemas) > 200
    untyped = [where for where, schema in schemas.items() if not {"type", *COMBINERS} & set(schema)]
    null = [where for where, schema in schemas.items() if schema.get("type") in ("null", ["null"])]
    lists = [where for where, schema in schemas.items() if "array" in _types(schema) and "items" not in schema]
    assert (untyped, null, lists) == ([], [], [])


def test_a_value_or_null_is_written_in_one_way() -> None:
    """A list of types, and a union with null only for a reference, which has no type of its own."""
    unions = {where: schema["anyOf"] for where, schema in _schemas(described(), "#") if "anyOf" in schema}

    assert all([*map(set, union)] == [{"$ref"}, {"type"}] for union in unions.values()), unions


def test_every_operation_is_complete() -> None:
    """It has an id, a section, described parameters, a schema of each body, and the errors with their shape."""
    sections = {tag["name"] for tag in described()["tags"]}
    for name, operation in operations(described()).items():
        about = operation.description
        assert about["operationId"] == name
        assert len(about["tags"]) == 1 and set(about["tags"]) <= sections  # noqa: PT018 - one claim
        for parameter in about.get("parameters", []):
            assert parameter["description"] and parameter["schema"], name  # noqa: PT018 - one claim
        successes = [status for status in about["responses"] if status < "300"]
        assert len(successes) == 1, name
        for status, response in about["responses"].items():
            schemas = [content["schema"] for content in response.get("content", {}).values()]
            if status >= "400":
                assert schemas == [{"$ref": "#/components/schemas/Error"}], (name, status)
            elif status >= "300":
                assert schemas == [], (name, status)
            else:
                assert len(schemas) == ("without a body" not in response["description"]), (name, status)
        assert {"400", "503"} <= set(about["responses"]), name


def _types(schema: Described) -> list[str]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


KEYWORDS_OF_SCHEMAS = {"schema", "items"}


def _schemas(value: Any, where: str) -> Iterator[tuple[str, Described]]:
    """Yield every schema of a document with its location."""
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from _schemas(each, f"{where}/{at}")
        return
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        here = f"{where}/{key}"
        if key in ("example", "examples"):
            continue
        if isinstance(each, dict) and (key in KEYWORDS_OF_SCHEMAS or where.endswith(("/properties", "/schemas"))):
            yield here, each
        if key in COMBINERS - {"$ref"}:
            yield from ((f"{here}/{at}", part) for at, part in enumerate(each) if part != {"type": "null"})
        yield from _schemas(each, here)


def test_every_field_that_must_be_given_has_an_example() -> None:
    required = {field.name for route in rest.TABLE for field in route.fields if field.required}

    assert required - set(examples.VALUES) == set()


def test_every_shape_is_used_and_every_reference_leads_to_one() -> None:
    referenced = {each.rpartition("/")[2] for each in _references(described())}

    assert referenced == set(described()["components"]["schemas"])


def test_it_leads_nowhere_else(settings: Settings) -> None:
    assert re.findall(r"https?:[^ \"']*", str(openapi.document(rest.SECTIONS, settings))) == []


@pytest.mark.parametrize("drone_db_clients", [False, True])
def test_generators_find_a_name_of_its_own_for_each_type(drone_db_clients: bool) -> None:
    """Generators name the parameters of an operation `…Request`, and a body or a response without a name likewise."""
    document = described(drone_db_clients=drone_db_clients)
    names = [name.lower() for name in document["components"]["schemas"]]
    for name, each in operations(document).items():
        names += [f"{name}Request".lower(), f"{name}Response".lower()]
        bodies = each.description.get("requestBody", {"content": {}})["content"].values()
        names += {body["schema"]["title"].lower() for body in bodies if "properties" in body["schema"]}

    assert [name for name, number in Counter(names).items() if number > 1] == []


def test_each_operation_declares_its_permitted_users() -> None:
    security = {name: each.description["security"] for name, each in operations(described()).items()}

    assert security["authenticate"] == []
    assert security["getOrg"] == [{}, {"bearer": []}, {"cookie": []}]
    assert security["createUser"] == [{"bearer": []}, {"cookie": []}]


@pytest.mark.parametrize("drone_db_clients", [False, True])
def test_it_follows_the_setting_for_drone_dbs_clients(drone_db_clients: bool) -> None:
    document = described(drone_db_clients=drone_db_clients)
    expires = document["components"]["schemas"]["Session"]["properties"]["expires"]
    statuses = {status for each in operations(document).values() for status in each.description["responses"]}

    assert expires["type"] == ("integer" if drone_db_clients else "string")
    assert ("403" in statuses) is not drone_db_clients


def test_what_an_external_provider_does_instead_says_so() -> None:
    names = {
        name for name, each in operations(described()).items() if "ExternalAuthUrl" in each.description["description"]
    }

    users = {"createUser", "updateUser", "deleteUser", "deleteNamedUser", "changePassword", "resetPassword"}
    assert names == users | {"createRole", "deleteRole"}


@pytest.mark.parametrize(
    "overrides",
    [MEMBERS, MEMBERS | {"OSTIARY_DRONE_DB_CLIENTS": "true"}],
    ids=["as documented", "for DroneDB's clients"],
)
async def test_the_api_answers_as_documented(client: httpx.AsyncClient, api: Api, make: Make) -> None:
    document = (await client.get("/openapi.json")).json()
    documented, askers = operations(document), await Askers.create(client, api, make)
    shapes = _closed(document)
    assert sorted(documented) == sorted(call.operation for call in GOOD)

    for call in GOOD:
        operation = documented[call.operation]
        reply, *others = [*await askers.good(operation, call), *await askers.bad(operation)]
        assert reply.is_success, (call, reply.text)
        for each in (reply, *others):
            _conforms(shapes, operation, each)


@pytest.mark.parametrize("overrides", [{"OSTIARY_EXTERNAL_AUTH_URL": "http://127.0.0.1:1/"}])
async def test_what_it_says_that_an_external_provider_does_is_refused(
    client: httpx.AsyncClient, api: Api, make: Make
) -> None:
    documented, askers = operations(described()), await Askers.create(client, api, make)
    await make.role("divers")
    await make.user("Dora")
    replies = {call.operation: (await askers.good(documented[call.operation], call))[0] for call in GOOD}

    refused = {name for name, reply in replies.items() if "managed by the identity provider" in reply.text}
    assert refused == {route.name for route in rest.TABLE if route.needs_local_accounts}
    assert {replies[name].status_code for name in refused} == {400}


def _conforms(shapes: Described, operation: Operation, reply: httpx.Response) -> None:
    """Check that status, headers, media type and body are as documented, without further fields."""
    about = f"{operation.description['operationId']} {reply.request.url}: {reply.status_code} {reply.text}"
    response = operation.description["responses"].get(str(reply.status_code))
    assert response is not None, about
    for name, header in response.get("headers", {}).items():
        assert name in reply.headers or not header.get("required"), about
    if "content" not in response:
        assert (reply.content, "content-type" in reply.headers) == (b"", False), about
        return
    ((media, content),) = response["content"].items()
    assert reply.headers["content-type"].partition(";")[0] == media, about
    body = reply.json() if media == "application/json" else reply.text
    schema = {**content["schema"], "components": shapes}
    checker = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in checker.iter_errors(body)] == [], about


def _closed(document: Described) -> Described:
    """Return the shapes with no undocumented fields allowed."""
    components: Described = deepcopy(document["components"])
    for schema in components["schemas"].values():
        schema["additionalProperties"] = False
    return components


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/openapi.json", "application/json"),
        ("/openapi", "text/html; charset=utf-8"),
        ("/openapi/reference.css", "text/css; charset=utf-8"),
        ("/openapi/reference.js", "text/javascript; charset=utf-8"),
        ("/openapi/favicon.svg", "image/svg+xml"),
    ],
)
async def test_a_client_with_the_current_document_gets_a_304(client: httpx.AsyncClient, path: str, media: str) -> None:
    reply = await client.get(path)
    again = await client.get(path, headers={"if-none-match": reply.headers["etag"]})

    assert (reply.status_code, reply.headers["content-type"]) == (200, media)
    assert reply.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_takes_no_part_from_elsewhere(client: httpx.AsyncClient) -> None:
    reply = await client.get("/openapi")
    parts = re.findall(r'(?:src|href)="([^"#]+)"', reply.text)
    replies = [await client.get(f"/{part}", headers={"accept": "text/html, */*"}) for part in parts]

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["x-frame-options"] == "DENY"
    assert re.findall(r"<style|<script(?! type=\"module\" src=)| style=| on\w+=", reply.text) == []
    without_a_build = {"graphql": 503}
    failed = {part: each.status_code for part, each in zip(parts, replies, strict=True) if each.status_code != 200}
    assert failed in ({}, without_a_build)


async def test_the_page_shows_every_operation_and_every_link_on_it_leads_somewhere(client: httpx.AsyncClient) -> None:
    text = (await client.get("/openapi")).text
    ids = re.findall(r' id="([^"]+)"', text)

    assert {*operations(described())} <= {*ids}
    assert {f"shape-{name}" for name in described()["components"]["schemas"]} <= {*ids}
    assert len(ids) == len({*ids})
    assert {*re.findall(r'(?:href|aria-labelledby)="#?([^"/.]+)"', text)} - {*ids} == {"graphql"}


async def test_every_curl_line_is_a_call_of_its_operation(client: httpx.AsyncClient) -> None:
    text = (await client.get("/openapi")).text
    lines = [re.sub("<[^>]+>", "", line) for line in re.findall(r'class="curl"[^>]*>(.*?)</pre>', text)]
    calls = [shlex.split(html.unescape(line)) for line in lines]

    names = set()
    for words in calls:
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        address = next(word for word in words if word.startswith("http://localhost:5000/"))
        path = address.removeprefix("http://localhost:5000/").split("/")
        names.add(
            next(place.routes[method].name for place in build_routes(rest.TABLE) if place.match(path) is not None)
        )
    assert names == set(operations(described()))


async def test_behind_a_prefix_it_is_described_there(app: Starlette) -> None:
    transport = httpx.ASGITransport(app, root_path="/registry")
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        document = (await client.get("/registry/openapi.json")).json()

    assert [server["url"] for server in document["servers"]] == ["/registry"]


async def test_there_is_no_other_part_of_the_page(client: httpx.AsyncClient) -> None:
    assert refusal(await client.get("/openapi/page.py")) == (404, False)


def _elements() -> Iterator[tuple[str, Described]]:
    """Yield everything that needs a description, with its location."""
    document = described()
    yield "info", document["info"]
    yield from ((tag["name"], tag) for tag in document["tags"])
    for name, scheme in document["components"]["securitySchemes"].items():
        yield name, scheme
    for name, schema in document["components"]["schemas"].items():
        yield name, schema
        yield from ((f"{name}.{each}", field) for each, field in schema["properties"].items())
    for name, operation in operations(document).items():
        yield name, operation.description
        yield name, {"description": operation.description["summary"]}
        yield from _parts(name, operation.description)


def _parts(name: str, operation: Described) -> Iterator[tuple[str, Described]]:
    yield from ((f"{name}({each['name']})", each) for each in operation.get("parameters", []))
    yield from ((f"{name} {status}", each) for status, each in operation["responses"].items())
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        assert media in FORMS
        fields = content["schema"].get("properties", {}).items()
        yield from ((f"{name} {media} {each}", field) for each, field in fields)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        yield from (each for part in value.values() for each in _references(part))
    elif isinstance(value, list):
        yield from (each for part in value for each in _references(part))
