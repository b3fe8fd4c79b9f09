"""Unix sockets and sockets of systemd: who may connect, what is replaced, and whom the server takes a client for."""

import asyncio
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.domain.errors import SettingsError
from app.http import sockets
from tests.support.programs import START_SECONDS
from tests.support.server import UNUSED_TLS, Ended, UnixServer, clean_environment


def test_a_unix_socket_is_for_its_user_and_group_and_ends_with_its_block(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with sockets.unix_socket(path) as opened:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert sockets.name(opened) == f"unix:{path}"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))  # it waits until somebody accepts
    assert not path.exists()


def test_a_socket_that_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with sockets.unix_socket(path):
        pass
    assert not path.exists()


def test_nothing_else_is_replaced(tmp_path: Path) -> None:
    path, file, folder = tmp_path / "http.sock", tmp_path / "notes.txt", tmp_path / "missing" / "http.sock"
    file.write_text("keep")
    with sockets.unix_socket(path):
        for taken, reason in (
            (path, "another server listens there"),
            (file, "not a socket"),
            (folder, "No such file"),
            (tmp_path / ("x" * 200), "too long"),
        ):
            with pytest.raises(SettingsError, match=reason), sockets.unix_socket(taken):
                pass
        assert stat.S_ISSOCK(path.stat().st_mode)
    assert file.read_text() == "keep"


def test_the_socket_of_another_server_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with sockets.unix_socket(path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)


@pytest.mark.parametrize(
    ("kind", "number", "is_used"),
    [
        ("listening", 1, True),
        ("listening", 0, False),
        ("of another process", 1, False),
        ("bound", 1, None),
        ("of datagrams", 1, None),
    ],
)
def test_the_sockets_of_systemd_are_used(
    monkeypatch: pytest.MonkeyPatch, kind: str, number: int, is_used: bool | None
) -> None:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "of datagrams" else socket.SOCK_STREAM)
    opened.bind(("127.0.0.1", 0))
    if kind in {"listening", "of another process"}:
        opened.listen()
    address = f"http://127.0.0.1:{opened.getsockname()[1]}"
    monkeypatch.setattr(sockets, "FIRST_DESCRIPTOR", opened.detach())
    environment = {"LISTEN_PID": str(os.getpid() + (kind == "of another process")), "LISTEN_FDS": str(number)}

    if is_used is None:
        with pytest.raises(SettingsError, match="not a listening stream socket"):
            sockets.inherited(environment)
    else:
        passed = sockets.inherited(environment)
        assert [sockets.name(each) for each in passed] == [address] * is_used
        for each in passed:
            each.close()
    if is_used is False:
        os.close(sockets.FIRST_DESCRIPTOR)


async def test_clients_of_a_unix_socket_have_the_address_that_a_trusted_proxy_names(tmp_path: Path) -> None:
    with UnixServer(tmp_path, OSTIARY_TRUSTED_PROXIES='["unix"]', OSTIARY_ROOT_PATH="/registry") as server:
        transport = httpx.AsyncHTTPTransport(uds=str(server.path), verify=UNUSED_TLS)
        async with httpx.AsyncClient(base_url="http://registry", transport=transport) as client:
            async with asyncio.timeout(START_SECONDS):
                while not server.path.exists():  # noqa: ASYNC110 - another process gives no event
                    await asyncio.sleep(0.05)
            wrong = {"username": "admin", "password": "password"}
            direct = await client.post("/users/authenticate", data=wrong)
            behind = await client.post("/users/authenticate", data=wrong, headers={"X-Forwarded-For": "203.0.113.9"})
            openapi = await client.get("/openapi.json")
        ended: Ended = await server.stopped()

    assert (direct.status_code, behind.status_code) == (401, 401), "the default password is not for proxies"
    assert "created with this password, which is shown once" in ended.out
    assert f"address     unix:{server.path}\n" in ended.out
    assert '"address": "203.0.113.9"' in ended.err
    assert openapi.json()["servers"][0]["url"] == "/registry"
    assert (ended.code, server.path.exists()) == (0, False)


def test_a_first_password_that_cannot_be_printed_is_told(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "app.cli", "serve", "--unix-socket", str(tmp_path / "socket")]
    environment = clean_environment() | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    lost = "admin was created, but the password was not written: ostiary admin reset-password admin"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, f"ostiary: {lost}")
