"""Claims about the pictures of the console: scripts/pictures takes each, a page shows it and describes it."""

import re
import struct
from collections.abc import Iterator

from scripts.console.sources import Console
from scripts.picturing.__main__ import MAX_TOTAL, PICTURES, PREFIX
from tests.docs.markdown import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
TAKEN = re.compile(r"^picture\(\s*'([\w-]+)'", re.MULTILINE)
PNG = b"\x89PNG\r\n\x1a\n"
SHORTEST_TEXT = 20
"""Characters of an alternative text that says what the picture shows."""


def _images() -> Iterator[tuple[str, str, str]]:
    """Return page, text and file name of each image of a page."""
    for page in PAGES:
        for text, target in IMAGE.findall(page.read_text()):
            yield page.relative_to(ROOT).as_posix(), text, target.rpartition("/")[2]


def test_every_picture_of_the_console_is_taken_by_the_script_and_shown() -> None:
    sources = Console().folder.glob("tests/pictures/*.pictures.ts")
    names = [name for file in sources for name in TAKEN.findall(file.read_text())]
    stored = sorted(path.name for path in PICTURES.glob(f"{PREFIX}*.png"))

    assert sorted(f"{PREFIX}{name}.png" for name in names) == stored
    assert {name for _, _, name in _images() if name.startswith(PREFIX)} == set(stored)


def test_every_image_has_a_text_that_describes_it() -> None:
    assert [(page, name) for page, text, name in _images() if len(text) < SHORTEST_TEXT] == []


def test_the_pictures_stay_small() -> None:
    files = list(PICTURES.glob(f"{PREFIX}*.png"))
    contents = [path.read_bytes() for path in files]

    assert all(content.startswith(PNG) for content in contents)
    assert sum(map(len, contents)) <= MAX_TOTAL
    assert max(struct.unpack(">I", content[16:20])[0] for content in contents) == 1280
