"""Claims about the file that a command writes: what is there and is no file is written to, and never replaced."""

import os
import stat
import threading
from pathlib import Path

import pytest

from app.cli.common import CommandFailed
from app.cli.output import output_file, output_folder


def _write(path: Path, text: str = "new\n") -> None:
    with output_file(str(path)) as file:
        file.write(text)


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, link, read = tmp_path / "pipe", tmp_path / "link", list[str]()
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
        reader.start()
        _write(path)
        reader.join()
    assert read == ["new\n"] * 2
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert link.is_symlink()


def test_a_device_is_written_to(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    _write(link)
    assert link.is_symlink()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_the_file_behind_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real/file", tmp_path / "link"
    link.symlink_to(target)
    for text in ("first", "second"):
        _write(link, text)
        assert target.read_text() == text
    assert link.is_symlink()
    assert [*(tmp_path / "real").iterdir()] == [target]


def test_a_folder_of_files_has_no_place_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "users.yaml")
    refusal = pytest.raises(CommandFailed, match=r"users\.yaml cannot be written: it is no file")
    with refusal, output_folder(tmp_path, ["orgs.yaml", "users.yaml"]) as files:
        files["orgs.yaml"].write("x")
    assert [path.name for path in tmp_path.iterdir()] == ["users.yaml"]


def test_a_directory_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    for path in (tmp_path, link):
        with pytest.raises(CommandFailed, match="Is a directory"):
            _write(path)
