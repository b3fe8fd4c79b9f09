"""From an OpenAPI description to the page that people read: written on the server, so that it needs no script."""

from collections.abc import Iterable, Iterator, Mapping
from string import Template
from typing import Any

from app.rest.reference import content
from app.rest.reference.curl import line
from app.rest.reference.markup import NOTHING, Html, el, joined, prose

Described = Mapping[str, Any]

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
    "application/x-www-form-urlencoded": "a form",
    "multipart/form-data": "multipart",
}


def page(document: Described) -> bytes:
    """The whole page."""
    sections = [(tag, [*_operations(document, tag["name"])]) for tag in document["tags"]]
    sections = [(tag, found) for tag, found in sections if found]
    info = document["info"]
    template = Template(content("index.html").decode())
    written = template.substitute(
        title=prose(info["title"]),
        version=prose(info["version"]),
        contents=_contents(sections),
        about=joined(el("p", prose(paragraph)) for paragraph in info["description"].split("\n\n")),
        operations=joined(_section(tag, found) for tag, found in sections),
        shapes=joined(_shape(name, schema) for name, schema in document["components"]["schemas"].items()),
    )
    return written.encode()


def _operations(document: Described, tag: str) -> Iterator[tuple[str, str, Described]]:
    for path, methods in document["paths"].items():
        yield from ((method.upper(), path, told) for method, told in methods.items() if tag in told["tags"])


Section = tuple[Described, list[tuple[str, str, Described]]]


def _contents(sections: Iterable[Section]) -> Html:
    parts = []
    for tag, found in sections:
        entries = (
            el("li", el("a", _method(method), " ", _path(path), href=f"#{told['operationId']}", title=told["summary"]))
            for method, path, told in found
        )
        parts.append(el("li", el("a", tag["name"], href=f"#{_anchor(tag['name'])}"), el("ul", entries)))
    return el("ul", parts, el("li", el("a", "Shapes", href="#shapes")))


def _section(tag: Described, found: Iterable[tuple[str, str, Described]]) -> Html:
    anchor = _anchor(tag["name"])
    head = el("h2", tag["name"], id=f"{anchor}-title")
    operations = (_operation(method, path, told) for method, path, told in found)
    return el(
        "section", head, el("p", prose(tag["description"])), operations, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def _operation(method: str, path: str, told: Described) -> Html:
    name = told["operationId"]
    answers = {int(status): answer for status, answer in told["responses"].items()}
    return el(
        "article",
        el("h3", el("a", _method(method), " ", _path(path), href=f"#{name}"), id=f"{name}-title"),
        el("p", prose(told["description"]), class_="told"),
        el("p", _who(told["security"]), " ", el("code", name, class_="name"), class_="who"),
        _parameters(told.get("parameters", [])),
        _body(told.get("requestBody")),
        el("h4", "Answers"),
        el("dl", (_answer(status, each) for status, each in answers.items() if _is_good(status))),
        _refusals({status: each for status, each in answers.items() if not _is_good(status)}),
        el("pre", el("code", line(method, path, told)), class_="curl", tabindex="0", aria_label="As a curl line"),
        id=name,
        aria_labelledby=f"{name}-title",
    )


def _is_good(status: int) -> bool:
    return status < 400  # noqa: PLR2004 - where refusals begin


def _who(security: list[Described]) -> str:
    if not security:
        return "For everybody; a token is not asked for."
    return "For everybody; a token says who you are." if {} in security else "For who is signed in."


def _parameters(parameters: Iterable[Described]) -> Html:
    entries = [
        _entry(each["name"], each["schema"], each["description"], f"in the {each['in']}", is_required=False)
        for each in parameters
    ]
    return joined([el("h4", "Parameters"), el("dl", entries)]) if entries else NOTHING


def _body(body: Described | None) -> Html:
    if body is None:
        return NOTHING
    content_ = body["content"]
    forms = " or ".join(_FORMS[kind] for kind in content_)
    schema = next(iter(content_.values()))["schema"]
    required = schema.get("required", [])
    fields = schema.get("properties", {}).items()
    entries = [_entry(name, each, each["description"], is_required=name in required) for name, each in fields]
    head = el("h4", "Body ", el("span", f"as {forms}", class_="type"))
    return joined([head, el("dl", entries) if entries else el("p", "A JSON object; its names are its own.")])


def _entry(name: str, schema: Described, about: str, *more: str, is_required: bool) -> Html:
    marks = [el("span", *_type(schema), class_="type"), *(el("span", each, class_="type") for each in more)]
    if is_required:
        marks.append(el("span", "required", class_="required"))
    return el("div", el("dt", el("code", name), " ", joined(marks, " ")), el("dd", prose(about)))


def _answer(status: int, answer: Described) -> Html:
    contents = answer.get("content", {})
    shown = [el("span", *_type(each["schema"]), class_="type") for each in contents.values()]
    headers = answer.get("headers", {}).items()
    beside = (joined([" ", el("code", name), ": ", prose(each["description"])]) for name, each in headers)
    term = el("dt", el("code", str(status), class_="status"), " ", joined(shown))
    return el("div", term, el("dd", prose(answer["description"]), beside))


def _refusals(answers: Mapping[int, Described]) -> Html:
    statuses = joined((el("code", str(status), class_="status bad") for status in answers), " ")
    entries = (
        el("div", el("dt", el("code", str(status), class_="status bad")), el("dd", prose(each["description"])))
        for status, each in answers.items()
    )
    return el("details", el("summary", "Refusals ", statuses), el("dl", entries))


def _shape(name: str, schema: Described) -> Html:
    fields = schema["properties"].items()
    return el(
        "article",
        el("h3", el("a", name, href=f"#shape-{name}"), id=f"shape-{name}-title"),
        el("p", prose(schema["description"]), class_="told"),
        el("dl", (_entry(each, told, told.get("description", ""), is_required=False) for each, told in fields)),
        id=f"shape-{name}",
        aria_labelledby=f"shape-{name}-title",
    )


def _type(schema: Described) -> Iterator[str]:
    """What a value is, in words; a shape as a link to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield el("a", name, href=f"#shape-{name}")
    elif "anyOf" in schema:
        yield joined((joined(_type(each)) for each in schema["anyOf"]), " or ")
    elif "enum" in schema:
        yield ", ".join(map(str, schema["enum"]))
    elif schema["type"] == "array":
        yield from ("list of ", *_type(schema["items"]))
    elif isinstance(schema["type"], list):
        yield joined((joined(_type({**schema, "type": each})) for each in schema["type"]), " or ")
    else:
        yield "moment" if schema.get("format") == "date-time" else _TYPES[schema["type"]]


def _method(method: str) -> Html:
    return el("span", method, class_=f"method {method.lower()}")


def _path(path: str) -> Html:
    """A path that may be broken after its slashes."""
    return el("code", joined(path.split("/"), "/<wbr>"), class_="path")


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
