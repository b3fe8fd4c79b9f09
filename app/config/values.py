"""What single settings may be. Each check answers the value as it is kept, or says what it must be."""

import http.cookies
import re
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, SecretStr

SECRET_BYTES = 32
"""What HS256 needs: a key as long as its hash (RFC 7518, 3.2)."""

PASSWORD_CHARACTERS = 1024
EMAIL_CHARACTERS = 254
METRICS_TOKEN_CHARACTERS = 16
LAST_PORT = 65_535
STANDARD_PORTS = {"http": "80", "https": "443"}


def _sqlite_url(rest: str) -> str:
    path = rest.removeprefix("/")
    if path == rest or not path.strip("/ ") or path.endswith("/"):
        raise ValueError("must name a file, as in sqlite:///data/ostiary.db")
    if ":memory:" in path or path.startswith("file:") or "?" in path:
        raise ValueError("must name a file and nothing else: a database in memory is lost at every stop")
    return f"sqlite:///{path}"


def _postgres_url(rest: str) -> str:
    url = f"postgresql://{rest}"
    try:
        parts = urlsplit(url)
        if "," not in parts.netloc:
            _ = parts.port
    except ValueError:  # its text may hold the password
        raise ValueError("is not a URL: percent-encode special characters in the name and password") from None
    if parts.fragment or " " in url:
        raise ValueError("must have its special characters percent-encoded: %23 for #, %20 for a space")
    if not parts.path.strip("/") and not {"database", "dbname"} & parse_qs(parts.query).keys():
        raise ValueError("must name a database, as in postgresql://user:password@host/database")
    return url


def database_url(url: str) -> str:
    if not url.isprintable():
        raise ValueError("must not hold control characters")
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "sqlite":
        return _sqlite_url(rest)
    if scheme.lower() in ("postgresql", "postgres"):
        return _postgres_url(rest)
    raise ValueError("must begin with sqlite:/// or postgresql://, with no driver's name in it")


def strong_secret(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value() if value else ""
    if text.strip() and len(text.encode()) < SECRET_BYTES:
        raise ValueError(f"must be at least {SECRET_BYTES} bytes long")
    return value if text.strip() else None


def admin_password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not 1 <= len(text) <= PASSWORD_CHARACTERS or "\0" in text:
        raise ValueError(f"must have 1 to {PASSWORD_CHARACTERS:,} characters and no NUL")
    return value


def email(value: str | None) -> str | None:
    text = (value or "").strip()
    if text and (len(text) > EMAIL_CHARACTERS or not re.fullmatch(r"[^@\s]+@[^@\s]+", text)):
        raise ValueError(f"must be an e-mail address of at most {EMAIL_CHARACTERS} characters")
    return text or None


def cookie_name(value: str) -> str:
    if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]{1,128}", value, re.ASCII) or http.cookies.Morsel().isReservedKey(value):
        raise ValueError("must be a valid cookie name")
    return value


def whole_token(value: str) -> str:
    if not re.fullmatch(r"[^.\s]+(\.[^.\s]+){2}", value.strip()):
        raise ValueError("must be a whole token: three parts with dots between them")
    return value.strip()


def origin(value: str) -> str:
    """As browsers send it: in small letters, and without the port that goes without saying."""
    text = value.strip().lower()
    found = re.fullmatch(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", text, re.ASCII)
    if found is None:
        raise ValueError("must be an origin and nothing more, as in https://app.example.org or http://localhost:3000")
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" if port in (None, STANDARD_PORTS[scheme]) else f"{scheme}://{host}:{int(port)}"


def external_url(value: str | None) -> str | None:
    """An address with http or https and a host, without credentials in it; blank is none."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text:
        raise ValueError("must be a URL that begins with http:// or https:// and names a host")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must hold no credentials and no fragment")
    return text


def word(value: object) -> object:
    """A word of a few: in any letter case, and blank for none."""
    return value.strip().lower() or None if isinstance(value, str) else value


def metrics_token(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value() if value else ""
    if text and (not re.fullmatch(r"[!-~]+", text) or len(text) < METRICS_TOKEN_CHARACTERS):
        raise ValueError(f"must be at least {METRICS_TOKEN_CHARACTERS} printable ASCII characters without a space")
    return value if text else None


def blank(value: object) -> object:
    """Blank is none."""
    return None if isinstance(value, str) and not value.strip() else value


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


Count = Annotated[int, BeforeValidator(_no_boolean)]
"""A whole number; `true` is none."""


def listen_address(text: str | None) -> str | None:
    """Accept HOST:PORT with an address, in brackets if it is IPv6; blank is none."""
    if text is None or not text.strip():
        return None
    host, _, port = text.strip().rpartition(":")
    try:
        ip_address(host.removeprefix("[").removesuffix("]") if host.startswith("[") else host)
    except ValueError:
        raise ValueError("must be an address and a port, as in 127.0.0.1:9100 or [::1]:9100") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= LAST_PORT) or (
        ":" in host and not host.startswith("[")
    ):
        raise ValueError("must be an address and a port, as in 127.0.0.1:9100 or [::1]:9100")
    return f"{host}:{int(port)}"


def network(text: str) -> str:
    """Accept an address or a network; never all of the internet by a sign."""
    try:
        return str(ip_network(text.strip()))
    except ValueError:
        raise ValueError("must be addresses or networks, as in 10.0.0.7 or 10.0.0.0/24") from None
