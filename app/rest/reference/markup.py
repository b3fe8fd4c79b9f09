"""Writes HTML out of values: what is text is escaped, always."""

import re
from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


NOTHING = Html()


def el(name: str, *children: str | Iterable[str], **attributes: str | bool) -> Html:
    """An element. A child that is no `Html` is text; an attribute may end in `_`, where Python has taken its name."""
    written = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def joined(children: Iterable[str | Iterable[str]], between: str = "") -> Html:
    """The children after one another."""
    return Html(between.join(_child(child) for child in children))


def prose(text: str) -> Html:
    """A text for people, in which words between backticks are code."""
    parts = re.split(r"`([^`]+)`", text)
    return joined(el("code", part) if at % 2 else part for at, part in enumerate(parts))


def _child(child: str | Iterable[str]) -> str:
    if isinstance(child, Html):
        return child
    return escape(child) if isinstance(child, str) else joined(child)


def _attribute(name: str, value: str | bool) -> str:
    if value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
