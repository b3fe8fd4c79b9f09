"""The curl line of an operation, with the example values of its description."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from app.rest.reference.markup import Html, el, joined

JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
SERVER = "http://localhost:5000"
"""Default address of a server. A script replaces it by the origin of the page."""

Description = Mapping[str, Any]


def line(method: str, path: str, operation: Description) -> Html:
    """Return the line. The address of the server is a separate element."""
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", quote(str(each["example"])))
    begin = "curl " if method == "GET" else f"curl -X {method} "
    words = joined([el("span", SERVER, class_="server"), path])
    return joined([begin, words, *(f" {option}" for option in _options(operation))])


def _options(operation: Description) -> Iterator[str]:
    if operation["security"]:
        yield '-H "Authorization: Bearer $TOKEN"'
    if "requestBody" not in operation:
        return
    content = operation["requestBody"]["content"]
    kind = next(iter(content))
    values = _values(content[kind]["schema"])
    if kind in (JSON, MERGE_PATCH):
        yield f'-H "Content-Type: {kind}"'
        yield f"-d {shlex.quote(json.dumps(values))}"
        return
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            text = each if isinstance(each, str) else json.dumps(each)
            yield f"--data-urlencode {shlex.quote(f'{name}={text}')}"


def _values(schema: Description) -> dict[str, Any]:
    """Return examples of the required fields; if none is required, of all fields with an example."""
    if "properties" not in schema:
        return dict(schema["examples"][0])
    fields = schema["properties"]
    examples = {name: each["examples"][0] for name, each in fields.items() if "examples" in each}
    required = schema.get("required", examples)
    return {name: value for name, value in examples.items() if name in required}
