"""The HTML page of an OpenAPI description, rendered on the server so that it needs no script."""

from collections.abc import Iterable, Iterator, Mapping
from string import Template
from typing import Any

from app.rest.reference import content
from app.rest.reference.curl import line
from app.rest.reference.markup import NOTHING, Html, el, joined, prose

Description = Mapping[str, Any]

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "JSON object",
    "null": "null",
}
_FORMS = {
    "application/json": "JSON",
    "application/merge-patch+json": "a JSON merge patch",
    "application/x-www-form-urlencoded": "a form",
    "multipart/form-data": "multipart",
}


def page(document: Description) -> bytes:
    """Return the complete page."""
    sections = [(tag, [*_operations(document, tag["name"])]) for tag in document["tags"]]
    sections = [(tag, operations) for tag, operations in sections if operations]
    info = document["info"]
    template = Template(content("index.html").decode())
    html = template.substitute(
        title=prose(info["title"]),
        version=prose(info["version"]),
        contents=_contents(sections),
        about=joined(el("p", prose(paragraph)) for paragraph in info["description"].split("\n\n")),
        operations=joined(_section(tag, operations) for tag, operations in sections),
        shapes=joined(_shape(name, schema) for name, schema in document["components"]["schemas"].items()),
    )
    return html.encode()


def _operations(document: Description, tag: str) -> Iterator[tuple[str, str, Description]]:
    for path, methods in document["paths"].items():
        yield from (
            (method.upper(), path, operation) for method, operation in methods.items() if tag in operation["tags"]
        )


Section = tuple[Description, list[tuple[str, str, Description]]]


def _contents(sections: Iterable[Section]) -> Html:
    parts = []
    for tag, operations in sections:
        entries = (
            el(
                "li",
                el(
                    "a",
                    _method(method),
                    " ",
                    _path(path),
                    href=f"#{operation['operationId']}",
                    title=operation["summary"],
                ),
            )
            for method, path, operation in operations
        )
        parts.append(el("li", el("a", tag["name"], href=f"#{_anchor(tag['name'])}"), el("ul", entries)))
    return el("ul", parts, el("li", el("a", "Shapes", href="#shapes")))


def _section(tag: Description, operations: Iterable[tuple[str, str, Description]]) -> Html:
    anchor = _anchor(tag["name"])
    head = el("h2", tag["name"], id=f"{anchor}-title")
    articles = (_operation(method, path, operation) for method, path, operation in operations)
    return el(
        "section", head, el("p", prose(tag["description"])), articles, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def _operation(method: str, path: str, operation: Description) -> Html:
    name = operation["operationId"]
    answers = {int(status): answer for status, answer in operation["responses"].items()}
    return el(
        "article",
        el("h3", el("a", _method(method), " ", _path(path), href=f"#{name}"), id=f"{name}-title"),
        el("p", prose(operation["description"]), class_="told"),
        el("p", _authentication(operation["security"]), " ", el("code", name, class_="name"), class_="who"),
        _parameters(operation.get("parameters", [])),
        _body(operation.get("requestBody")),
        el("h4", "Answers"),
        el("dl", (_answer(status, each) for status, each in answers.items() if _is_success(status))),
        _refusals({status: each for status, each in answers.items() if not _is_success(status)}),
        el("pre", el("code", line(method, path, operation)), class_="curl", tabindex="0", aria_label="As a curl line"),
        id=name,
        aria_labelledby=f"{name}-title",
    )


def _is_success(status: int) -> bool:
    return status < 400  # noqa: PLR2004 - the first status of errors


def _authentication(security: list[Description]) -> str:
    if not security:
        return "Needs no token."
    return "A token is optional." if {} in security else "Needs a token."


def _parameters(parameters: Iterable[Description]) -> Html:
    entries = [
        _entry(each["name"], each["schema"], each["description"], f"in the {each['in']}", is_required=False)
        for each in parameters
    ]
    return joined([el("h4", "Parameters"), el("dl", entries)]) if entries else NOTHING


def _body(body: Description | None) -> Html:
    if body is None:
        return NOTHING
    content_ = body["content"]
    forms = " or ".join(_FORMS[kind] for kind in content_)
    schema = next(iter(content_.values()))["schema"]
    required = schema.get("required", [])
    fields = schema.get("properties", {}).items()
    entries = [_entry(name, each, each["description"], is_required=name in required) for name, each in fields]
    head = el("h4", "Body ", el("span", f"as {forms}", class_="type"))
    return joined([head, el("dl", entries) if entries else el("p", "A JSON object with any names.")])


def _entry(name: str, schema: Description, about: str, *more: str, is_required: bool) -> Html:
    marks = [el("span", *_type(schema), class_="type"), *(el("span", each, class_="type") for each in more)]
    if is_required:
        marks.append(el("span", "required", class_="required"))
    return el("div", el("dt", el("code", name), " ", joined(marks, " ")), el("dd", prose(about)))


def _answer(status: int, answer: Description) -> Html:
    contents = answer.get("content", {})
    types = [el("span", *_type(each["schema"]), class_="type") for each in contents.values()]
    headers = answer.get("headers", {}).items()
    beside = (joined([" ", el("code", name), ": ", prose(each["description"])]) for name, each in headers)
    term = el("dt", el("code", str(status), class_="status"), " ", joined(types))
    return el("div", term, el("dd", prose(answer["description"]), beside))


def _refusals(answers: Mapping[int, Description]) -> Html:
    statuses = joined((el("code", str(status), class_="status bad") for status in answers), " ")
    entries = (
        el("div", el("dt", el("code", str(status), class_="status bad")), el("dd", prose(each["description"])))
        for status, each in answers.items()
    )
    return el("details", el("summary", "Refusals ", statuses), el("dl", entries))


def _shape(name: str, schema: Description) -> Html:
    fields = schema["properties"].items()
    return el(
        "article",
        el("h3", el("a", name, href=f"#shape-{name}"), id=f"shape-{name}-title"),
        el("p", prose(schema["description"]), class_="told"),
        el("dl", (_entry(each, value, value.get("description", ""), is_required=False) for each, value in fields)),
        id=f"shape-{name}",
        aria_labelledby=f"shape-{name}-title",
    )


def _type(schema: Description) -> Iterator[str]:
    """Yield the type of a value in words; a component schema is a link."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield el("a", name, href=f"#shape-{name}")
    elif "anyOf" in schema:
        yield joined((joined(_type(each)) for each in schema["anyOf"]), " or ")
    elif "enum" in schema:
        yield ", ".join("null" if each is None else str(each) for each in schema["enum"])
    elif schema["type"] == "array":
        yield from ("list of ", *_type(schema["items"]))
    elif isinstance(schema["type"], list):
        yield joined((joined(_type({**schema, "type": each})) for each in schema["type"]), " or ")
    else:
        yield "moment" if schema.get("format") == "date-time" else _TYPES[schema["type"]]


def _method(method: str) -> Html:
    return el("span", method, class_=f"method {method.lower()}")


def _path(path: str) -> Html:
    """Return a path that may wrap after its slashes."""
    return el("code", joined(path.split("/"), "/<wbr>"), class_="path")


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
