"""The image of the Dockerfile as far as it can be made without Docker: its context, its stages, their copied files."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from tests.support.sources import HOME, files


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its name in capitals and the rest of its line, with continued lines joined."""

    name: str
    text: str

    def words(self) -> list[str]:
        """Return the words of the shell, without options."""
        return [word for word in shlex.split(self.text) if not word.startswith("--")]

    def option(self, name: str) -> str | None:
        """Return the value of an option, None without it."""
        match = re.search(rf"--{name}=(\S+)", self.text)
        return match and match[1]

    def arguments(self) -> list[str]:
        """Return the list of the exec form. Raises ValueError for the form of a shell."""
        values: list[str] = json.loads(self.text[self.text.index("[") :])
        return values


@dataclass(slots=True)
class Stage:
    """The instructions from one FROM to the next, with the image and the name of the stage."""

    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Return the instructions of a name."""
        return [each for each in self.instructions if each.name == name]

    def last(self, name: str) -> Instruction:
        """Return the instruction that counts of those that replace each other."""
        return self.all(name)[-1]


def read(path: Path = HOME / "Dockerfile") -> list[Stage]:
    """Return the stages of a Dockerfile."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        name, _, text = line.strip().partition(" ")
        if name == "FROM":
            base, _, stage = text.partition(" AS ")
            stages.append(Stage(base, stage or None))
        else:
            stages[-1].instructions.append(Instruction(name, text.strip()))
    return stages


def checked_in() -> Iterator[str]:
    """Yield the files of a checkout without what tools have built there, by their paths."""
    top = (each for each in HOME.iterdir() if each.is_file())
    below = (each for folder in ("app", "docs", "scripts", "tests") for each in files(HOME / folder))
    yield from (each.relative_to(HOME).as_posix() for each in (*top, *below))


def is_ignored(name: str, patterns: list[str]) -> bool:
    """Return whether a file is left out of the context, as Docker reads .dockerignore: the last pattern counts."""
    places = [name, *map(str, PurePosixPath(name).parents)][:-1]
    ignored = False
    for pattern in patterns:
        if any(_matches(place, pattern.lstrip("!")) for place in places):
            ignored = not pattern.startswith("!")
    return ignored


def _matches(place: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(PurePosixPath(place).name, pattern[3:])
    return len(PurePosixPath(place).parts) == len(PurePosixPath(pattern).parts) and fnmatchcase(place, pattern)


def context(folder: Path) -> Path:
    """Copy what Docker would send to the builder into a folder, and return it."""
    lines = (HOME / ".dockerignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for name in checked_in():
        if not is_ignored(name, patterns):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOME / name, folder / name)
    return folder


def copy(stage: Stage, sent: Path, folder: Path) -> None:
    """Do each COPY of a stage from the context into a folder. Raises OSError for a source that is missing."""
    for instruction in stage.all("COPY"):
        *sources, target = instruction.words()
        if instruction.option("from") is not None:
            continue
        for source in sources:
            place = folder / target / ("" if (sent / source).is_dir() else Path(source).name)
            if (sent / source).is_dir():
                shutil.copytree(sent / source, place, dirs_exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(sent / source, place)
