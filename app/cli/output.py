"""The file that a command writes."""

import errno
import fcntl
import glob
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from app.cli.common import CommandFailed

PARTIAL = ".partial"
"""End of the name of a new file until it is complete."""


class _NotWritten(Exception):
    """An error of the file to write. It is no OSError, so that it is not taken for one of the database."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason.strerror)
        self.reason = reason


class OutputFile:
    """The file to write. Its errors become those of `output_file`."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write a text."""
        try:
            self._file.write(text)
        except OSError as error:
            raise _NotWritten(error) from None


@contextmanager
def output_file(name: str | None) -> Iterator[OutputFile]:
    """Open the file to write, which replaces an old one only when it is complete. Others cannot read it.

    Without a name, or for `-`, it is standard output. A device or a pipe is written to. Raises CommandFailed, for
    standard output OSError.
    """
    to_stdout = name is None or name == "-"
    try:
        with nullcontext([sys.stdout]) if to_stdout else _open_target(Path(str(name))) as (file,):
            yield OutputFile(file)
    except (_NotWritten, OSError) as error:
        reason = error.reason if isinstance(error, _NotWritten) else error
        if to_stdout:
            raise reason from None
        raise CommandFailed(f"{name} cannot be written: {reason.strerror}") from None


@contextmanager
def output_folder(folder: Path, names: Collection[str]) -> Iterator[dict[str, OutputFile]]:
    """Open files of a folder, which is created. They replace old ones when all are complete. Raises CommandFailed.

    Before the first one is replaced, all are written and closed, and no target is a directory. Each is then renamed:
    others who read in between may see old and new files.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with _replaced(*(folder / name for name in names)) as files:
            yield dict(zip(names, map(OutputFile, files), strict=True))
    except (_NotWritten, OSError) as error:
        reason = error.reason if isinstance(error, _NotWritten) else error
        raise CommandFailed(f"{folder} cannot be written: {reason.strerror}") from None


def _open_target(target: Path) -> AbstractContextManager[list[IO[str]]]:
    if not target.name:  # of `.`, which an empty name is too
        raise CommandFailed(f"{target} cannot be written: {os.strerror(errno.EISDIR)}")
    return _open_special(target) if _is_special(target) else _replaced(target)


def _is_special(target: Path) -> bool:
    """Return whether a path leads to a device, a pipe or a socket, such as /dev/stdout: nothing may replace it."""
    return target.exists() and not (target.is_file() or target.is_dir())


@contextmanager
def _open_special(target: Path) -> Iterator[list[IO[str]]]:
    """Open what is there for writing. Raises OSError."""
    with target.open("w", encoding="utf-8", newline="\n") as file:
        yield [file]


@contextmanager
def _replaced(*targets: Path) -> Iterator[list[IO[str]]]:
    """Open a new file beside each target. They replace the targets when all are written and closed.

    A new file is locked until then: without that, it is what a killed process left, and is deleted. Where a target is a
    symbolic link, the file that it leads to is replaced. Raises OSError, and CommandFailed for a target that is a
    directory or no file at all.
    """
    targets = tuple(target.resolve() if target.is_symlink() else target for target in targets)
    for target in targets:
        _delete_abandoned(target)
    partials = [target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}") for target in targets]
    created = list[Path]()
    try:
        with ExitStack() as stack:
            files = list[IO[str]]()
            for partial in partials:
                descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                created.append(partial)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                files.append(stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8", newline="\n")))
            yield files
        for target in targets:
            if target.is_dir():
                raise CommandFailed(f"{target} cannot be written: {os.strerror(errno.EISDIR)}")
            if _is_special(target):
                raise CommandFailed(f"{target} cannot be written: it is no file")
        for partial, target in zip(partials, targets, strict=True):
            partial.replace(target)
    finally:
        for partial in created:
            partial.unlink(missing_ok=True)


def _delete_abandoned(target: Path) -> None:
    """Delete new files of a target that belong to no process. They may contain hashes and addresses of users."""
    for partial in target.parent.glob(f".{glob.escape(target.name)}.*{PARTIAL}"):
        with suppress(OSError), partial.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.unlink()
