"""What must not be left open: who reaches the server while everybody knows a password, and who reads the secret."""

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
    """Whether only this machine reaches a server bound to this host; a name other than localhost may be anything."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return address == ipaddress.IPv6Address("::1") or address in ipaddress.IPv4Network("127.0.0.0/8")


def check_exposure(settings: Settings, host: str, default_password_is_valid: bool) -> None:
    """Refuse to listen where others reach it while everybody knows the administrator's password."""
    if default_password_is_valid and not is_loopback(host):
        raise SettingsError(
            f"--host {host or '(all addresses)'}: everybody knows the password of {settings.default_admin.user_name}, "
            "which still is the default: start on 127.0.0.1, sign in and change it; or, as long as there is no "
            f"administrator yet, set {variable(('default_admin', 'password'))}"
        )


def secret(settings: Settings) -> bytes:
    """What signs the tokens: the configured secret, else the one kept in a file, which the first process makes."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    path = settings.secret_path
    try:
        if not path.exists() and _make_secret(path) and not settings.is_sqlite:
            log.warning("made a signing secret in %s: if several hosts serve this database, set Secret on all", path)
        return _read_secret(path)
    except OSError as error:
        raise SettingsError(
            f"{path}: the signing secret cannot be kept there ({error.strerror}); allow it or set OSTIARY_SECRET"
        ) from None


def _make_secret(path: Path) -> bool:
    """Make the file whole and at once, so that of two processes that start together both read the winner's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 600 from the start
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
        kept = file.read().strip()
    if mode & 0o077:
        raise SettingsError(f"{path}: others may use the signing secret (mode {mode:o}); run: chmod 600 {path}")
    if len(kept) < SECRET_BYTES:
        raise SettingsError(
            f"{path}: the signing secret is shorter than {SECRET_BYTES} bytes; delete the file for a new one"
        )
    return kept
