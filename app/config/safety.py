"""Checks of unsafe states: a default password on a public address, and a secret that other users can read."""

import ipaddress
import logging
import os
import secrets
import stat
import tempfile
from pathlib import Path

from app.config.model import Settings
from app.config.sources import variable
from app.config.values import SECRET_BYTES
from app.domain.errors import SettingsError

log = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Return whether a server bound to this host is reachable from this machine only; names are not resolved."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return address == ipaddress.IPv6Address("::1") or address in ipaddress.IPv4Network("127.0.0.0/8")


def check_exposure(settings: Settings, option: str, is_exposed_default: bool) -> None:
    """Raise SettingsError if the administrator has the default password and the server is exposed by this option."""
    if is_exposed_default:
        raise SettingsError(
            f"{option}: {settings.default_admin.user_name} still has the default password: "
            "start on 127.0.0.1, sign in and change it; or, if there is no administrator yet, "
            f"set {variable(('default_admin', 'password'))}"
        )


def secret(settings: Settings) -> bytes:
    """Return the configured secret, else the secret in its file, which the first process generates."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    path = settings.secret_path
    try:
        if not path.exists() and _create_secret(path) and not settings.is_sqlite:
            log.warning("generated a secret in %s: if several hosts serve this database, set Secret on all", path)
        return _read_secret(path)
    except OSError as error:
        raise SettingsError(
            f"{path}: the secret cannot be stored there ({error.strerror}); allow it or set OSTIARY_SECRET"
        ) from None


def _create_secret(path: Path) -> bool:
    """Create the file atomically. Return False if another process was first, whose file is then used."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mkstemp creates it with mode 600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True


def _read_secret(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        value = file.read().strip()
    if mode & 0o077:
        raise SettingsError(f"{path}: other users can read the secret (mode {mode:o}); run: chmod 600 {path}")
    if len(value) < SECRET_BYTES:
        raise SettingsError(f"{path}: the secret is shorter than {SECRET_BYTES} bytes; delete the file for a new one")
    return value
