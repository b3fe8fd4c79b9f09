"""Validators of single settings. Each returns the normalized value or raises ValueError with the requirement."""

import http.cookies
import re
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_pascal

from app.config import postgres_url

SECRET_BYTES = 32
"""Minimum length of an HS256 key: the length of its hash (RFC 7518, 3.2)."""

PASSWORD_CHARACTERS = 1024
EMAIL_CHARACTERS = 254
CONTACT_CHARACTERS = 500
MIN_METRICS_TOKEN_CHARACTERS = 16
LAST_PORT = 65_535
UNIX = "unix"
"""In place of an address: a client of a unix socket."""

POSTGRES_PORT = ":5432"
"""End of the name of a server with the standard port, which may be left out."""

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_DURATION = timedelta(days=366)
STANDARD_PORTS = {"http": "80", "https": "443"}
TRACES_PATH = "/v1/traces"
"""Path of a collector for traces by OTLP/HTTP."""
PATH_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+|")


def _sqlite_url(rest: str) -> str:
    path = rest.removeprefix("/")
    if path == rest or not path.strip("/ ") or path.endswith("/"):
        raise ValueError("must name a file, as in sqlite:///data/ostiary.db")
    if ":memory:" in path or path.startswith("file:") or "?" in path:
        raise ValueError("must name a file without parameters: a database in memory is lost at every stop")
    return f"sqlite:///{path}"


def _postgres_url(rest: str) -> str:
    url = f"postgresql://{rest}"
    postgres_url.parse(url)
    return url


def database_url(url: str) -> str:
    if not url.isprintable():
        raise ValueError("must not contain control characters")
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "sqlite":
        return _sqlite_url(rest)
    if scheme.lower() in ("postgresql", "postgres"):
        return _postgres_url(rest)
    raise ValueError("must begin with sqlite:/// or postgresql://, without the name of a driver")


def replica_url(url: str) -> str:
    """Accept the URL of one PostgreSQL server."""
    text = database_url(url)
    if text.startswith("sqlite:"):
        raise ValueError("must begin with postgresql://")
    parsed = postgres_url.parse(text)
    if parsed.has_several_hosts or parsed.has_target:
        raise ValueError("must name one host, without target_session_attrs: each replica has its own URL")
    return text


def different_servers(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Accept URLs of servers that differ in host or port."""
    if len({postgres_url.server_name(url).removesuffix(POSTGRES_PORT) for url in urls}) < len(urls):
        raise ValueError("must name each server once")
    return urls


ReplicaUrls = Annotated[tuple[Annotated[str, AfterValidator(replica_url)], ...], AfterValidator(different_servers)]


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


def complete_token(value: str) -> str:
    if not re.fullmatch(r"[^.\s]+(\.[^.\s]+){2}", value.strip()):
        raise ValueError("must be a complete token: three parts separated by dots")
    return value.strip()


def origin(value: str) -> str:
    """Return the origin as browsers send it: in lower case, without the standard port of its scheme."""
    text = value.strip().lower()
    match = re.fullmatch(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", text, re.ASCII)
    if match is None:
        raise ValueError("must be an origin without a path, as in https://app.example.org or http://localhost:3000")
    scheme, host, port = match.groups()
    return f"{scheme}://{host}" if port in (None, STANDARD_PORTS[scheme]) else f"{scheme}://{host}:{int(port)}"


def external_url(value: str | None) -> str | None:
    """Accept an http or https URL with a host and without credentials. Blank is None."""
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
        raise ValueError("must not contain credentials or a fragment")
    return text


def traces_endpoint(value: str | None) -> str | None:
    """Accept an address as `external_url` in ASCII without a query, and add the path of OTLP if it has none.

    Blank is None.
    """
    text = external_url(value)
    if text is None:
        return None
    if not text.isascii():
        raise ValueError("must be in ASCII: write other characters as %XX, and such a host as xn--")
    parts = urlsplit(text)
    try:
        (parts.hostname or "").encode("idna")
    except UnicodeError:
        raise ValueError("must name a host whose parts between dots have 1 to 63 characters") from None
    if parts.query:
        raise ValueError("must not contain a query")
    return text if parts.path.strip("/") else parts._replace(path=TRACES_PATH).geturl()


def contact(value: str | None) -> str | None:
    """Accept one line of at most 500 printable characters. Blank is None."""
    text = (value or "").strip()
    if len(text) > CONTACT_CHARACTERS or not text.isprintable():
        raise ValueError(f"must be one line of at most {CONTACT_CHARACTERS} printable characters")
    return text or None


Contact = Annotated[str | None, AfterValidator(contact)]


def contact_field(description: str) -> Any:
    """Return the field of a text or an address for people. In its description, `{}` stands for its form."""
    form = (
        f"one line of at most {CONTACT_CHARACTERS} characters, in which http, https and mailto addresses become links"
    )
    return Field(None, description=f"{description.format(form)} Blank: none.")


def choice(value: object) -> object:
    """Return a choice in lower case. Blank is None."""
    return value.strip().lower() or None if isinstance(value, str) else value


def metrics_token(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value() if value else ""
    if text and (not re.fullmatch(r"[!-~]+", text) or len(text) < MIN_METRICS_TOKEN_CHARACTERS):
        raise ValueError(f"must be at least {MIN_METRICS_TOKEN_CHARACTERS} printable ASCII characters without a space")
    return value if text else None


def parse_duration(text: str) -> timedelta:
    """Return the time that a normalized duration states."""
    return int(text[:-1]) * UNITS[text[-1]]


def duration(text: str | None) -> str | None:
    """Accept a whole number of minutes, hours or days, such as 90m, 24h or 7d."""
    if text is None:
        return None
    normalized = text.strip().lower()
    if not re.fullmatch(r"[0-9]{1,6}[mhd]", normalized):
        raise ValueError("must be a whole number with the unit m, h or d, as in 90m, 24h or 7d")
    if not UNITS["m"] <= parse_duration(normalized) <= LONGEST_DURATION:
        raise ValueError("must be from 1m to 366d")
    return normalized


def blank_to_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _no_boolean(kind: str) -> BeforeValidator:
    """Return a validator of numbers that accepts no Boolean value. Pydantic alone would read `true` as 1."""

    def reject(value: object) -> object:
        if isinstance(value, bool):
            raise ValueError(f"must be {kind}")
        return value

    return BeforeValidator(reject)


Count = Annotated[int, _no_boolean("a whole number")]

Ratio = Annotated[float, _no_boolean("a number")]

MAX_DAYS = 36_500
"""Longest time that something old is kept: a century."""


def count_field(default: int, least: int, maximum: int, description: str) -> Any:
    """Return the field of a whole number. In its description, `{}` stands for its bounds."""
    return Field(default, ge=least, le=maximum, description=description.format(f"{least:,} to {maximum:,}"))


def days_field(default: int | None, description: str) -> Any:
    """Return the field of a number of days, None for ever. In its description, `{}` stands for its bounds."""
    text = f"{description.format(f'1 to {MAX_DAYS:,}')} Blank: for ever."
    return Field(default, ge=1, le=MAX_DAYS, description=text)


class Section(BaseModel):
    """A group of settings: frozen, without unknown names, and without values in its messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def section(kind: type[Section], end: str = ".") -> Any:
    """Return the field of a section, which its description lists."""
    return Field(default_factory=kind, description=f"An object: {', '.join(map(to_pascal, kind.model_fields))}{end}")


def listen_address(text: str | None) -> str | None:
    """Accept HOST:PORT with an IP address, in brackets if it is IPv6. Blank is None."""
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


def proxy(text: str) -> str:
    """Accept an IP address, a network or `unix`; there is no wildcard for all addresses."""
    if text.strip() == UNIX:
        return UNIX
    try:
        return str(ip_network(text.strip()))
    except ValueError:
        raise ValueError("must be addresses or networks, as in 10.0.0.7 or 10.0.0.0/24, or unix") from None


def path_prefix(text: str) -> str:
    """Accept a path that begins with a slash and does not end with one, or an empty text."""
    if not PATH_PREFIX.fullmatch(text):
        raise ValueError("must begin with a slash and not end with one, such as /ostiary")
    return text
