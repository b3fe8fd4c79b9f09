"""Links of the documentation lead somewhere, and the site has every page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.documentation.navigation import navigation
from tests.docs import markdown
from tests.docs.markdown import ROOT

DOCS = ROOT / "docs"
TEXTS = sorted({*markdown.pages(), *ROOT.glob("*.md"), *(ROOT / "app").glob("*.md"), *(ROOT / "tests").rglob("*.md")})


@pytest.mark.parametrize("page", TEXTS, ids=markdown.name)
def test_every_link_leads_to_a_file_and_an_anchor_that_exist(page: Path) -> None:
    assert list(_broken(page)) == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=markdown.name)
def test_a_page_of_the_site_links_within_the_site(page: Path) -> None:
    targets = [page.parent / path for path, _ in _local(page) if path]

    assert [target for target in targets if not target.resolve().is_relative_to(DOCS)] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=markdown.name)
def test_a_page_has_one_title_and_no_heading_twice(page: Path) -> None:
    text = page.read_text()

    assert markdown.title(text)
    assert [anchor for anchor in markdown.anchors(text) if anchor.endswith(("_1", "_2"))] == []


def test_the_navigation_has_every_page_once() -> None:
    entries = list(_paths(navigation(DOCS)))

    assert sorted(entries) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def _local(page: Path) -> list[tuple[str, str]]:
    """Return the links without a scheme, as a path and an anchor."""
    parts = [link.partition("#") for link in markdown.links(page.read_text()) if "://" not in link]
    return [(path, anchor) for path, _, anchor in parts if not path.startswith("mailto:")]


def _broken(page: Path) -> Iterator[str]:
    for path, anchor in _local(page):
        target = page.parent / path if path else page
        if not target.exists():
            yield path
        elif anchor and target.suffix == ".md" and anchor not in markdown.anchors(target.read_text()):
            yield f"{path}#{anchor}"


def _paths(entries: Any) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else _paths(value)
