"""A call of an operation as a line for a shell, with the made-up values of its description."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from app.rest.reference.markup import Html, el, joined

JSON = "application/json"
SERVER = "http://localhost:5000"
"""Where a server listens unless told; a script puts in its stead where the page comes from."""

Described = Mapping[str, Any]


def line(method: str, path: str, told: Described) -> Html:
    """The line; the server's address is an element of its own."""
    for each in told.get("parameters", []):
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", quote(str(each["example"])))
    begin = "curl " if method == "GET" else f"curl -X {method} "
    words = joined([el("span", SERVER, class_="server"), path])
    return joined([begin, words, *(f" {option}" for option in _options(told))])


def _options(told: Described) -> Iterator[str]:
    if told["security"]:
        yield '-H "Authorization: Bearer $TOKEN"'
    if "requestBody" not in told:
        return
    content = told["requestBody"]["content"]
    kind = next(iter(content))
    values = _values(content[kind]["schema"])
    if kind == JSON:
        yield f'-H "Content-Type: {JSON}"'
        yield f"-d {shlex.quote(json.dumps(values))}"
        return
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            text = each if isinstance(each, str) else json.dumps(each)
            yield f"--data-urlencode {shlex.quote(f'{name}={text}')}"


def _values(schema: Described) -> dict[str, Any]:
    """What must be given; where nothing must, what has an example."""
    if "properties" not in schema:
        return dict(schema["examples"][0])
    fields = schema["properties"]
    shown = {name: each["examples"][0] for name, each in fields.items() if "examples" in each}
    required = schema.get("required", shown)
    return {name: value for name, value in shown.items() if name in required}
