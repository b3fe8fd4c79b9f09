"""The URL of a PostgreSQL database: the parameters of libpq that providers write, in the form that asyncpg reads.

The setting keeps the URL as it is, since `pg_dump` reads it too. Messages name parameters and never their values.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SYSTEM_ROOTS = "system"
"""Value of `sslrootcert` for the certificates of the operating system."""

MAX_PORT = 65_535

_WITHOUT_EFFECT = frozenset(
    {
        "client_encoding",  # always UTF-8
        "fallback_application_name",
        "gssdelegation",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "sslcompression",
        "sslsni",
        "tcp_user_timeout",
    }
)
"""Parameters of libpq that asyncpg does not have and that make no connection safer."""

_CHOICES = {
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer"),
    "load_balance_hosts": ("disable",),
    "sslcertmode": ("disable", "allow"),
    "sslmode": SSL_MODES,
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "read-write", "primary"),
}
"""Values that a parameter may have here. A standby or a read-only session cannot serve."""

_UNSUPPORTED = frozenset({"hostaddr", "oauth_client_id", "oauth_issuer", "replication", "require_auth", "requirepeer"})
"""Parameters of libpq that would be a promise which asyncpg does not keep."""

_ONLY_LIBPQ = _WITHOUT_EFFECT | {"channel_binding", "gssencmode", "load_balance_hosts", "sslcertmode"}


_MAY_HAVE_AT = frozenset(
    ("application_name", "options", "passfile", "password", "sslcert", "sslkey", "sslrootcert", "user")
)
"""Parameters whose values may contain an `@`."""

HIDDEN = "(hidden)"
"""Stands for a secret."""


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A URL for asyncpg. `timeout` is in seconds; `client_certificate` are the paths of a certificate and its key.

    With `uses_system_roots`, the server's certificate is verified in full with those of the operating system.
    """

    dsn: str
    timeout: float | None = None
    application_name: str | None = None
    has_several_hosts: bool = False
    has_target: bool = False
    uses_system_roots: bool = False
    client_certificate: tuple[str, str | None] | None = None


@lru_cache(maxsize=16)
def parse(url: str) -> PostgresUrl:
    """Return the URL as asyncpg reads it. Raises ValueError with the requirement that it does not meet."""
    try:
        parts = urlsplit(url)
        hosts = _check_hosts(parts.netloc.rpartition("@")[2])
    except ValueError:  # its text may contain the password
        raise ValueError("is not a URL: percent-encode special characters in the name and password") from None
    if parts.fragment or " " in url or _splits_password(parts):
        raise ValueError(
            "must have the special characters of its name and password percent-encoded:"
            " %40 for @, %2F for a slash, %3F for ?, %23 for #, %20 for a space"
        )
    values = _parameters(parts.query)
    if not parts.path.strip("/") and not {"database", "dbname"} & values.keys():
        raise ValueError("must name a database, as in postgresql://user:password@host/database")
    hosts = values.get("host", "").split(",") if "host" in values else hosts
    _check_ports(values.get("port"), len(hosts))
    timeout = _timeout(values.pop("connect_timeout", None))
    uses_system_roots = _verify(values)
    certificate = (values["sslcert"], values.get("sslkey")) if "sslcert" in values and uses_system_roots else None
    remaining = {name: value for name, value in values.items() if name not in _ONLY_LIBPQ}
    query = f"?{urlencode(remaining, quote_via=quote)}" if remaining else ""
    return PostgresUrl(
        f"postgresql://{parts.netloc}{parts.path}{query}",
        timeout,
        values.get("application_name"),
        len(hosts) > 1,
        "target_session_attrs" in values,
        uses_system_roots,
        certificate,
    )


def _splits_password(parts: SplitResult) -> bool:
    """Return whether an `@` comes after the host: a slash or a question mark before it is then one of the password."""
    pairs = (part.partition("=") for part in parts.query.split("&"))
    return "@" in parts.path or any("@" in f"{name}{value}" and name not in _MAY_HAVE_AT for name, _, value in pairs)


def redact(url: str) -> str:
    """Return a URL with everything hidden that may be a part of its password.

    The password ends at the last `@` before the parameters. One that is not percent-encoded may have others.
    """
    address, mark, query = url.partition("?")
    scheme, slashes, rest = address.partition("//")
    user, at, hosts = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    parameters = "&".join(map(_without_password, query.split("&")))
    return f"{scheme}{slashes}{name}{colon}{HIDDEN if colon else ''}{at}{hosts}{mark}{parameters}"


def _without_password(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{HIDDEN}" if "password" in unquote(name).lower() else parameter


def server_name(url: str) -> str:
    """Return host and port of a URL with one host, for metrics and the log; never a part of its user or password."""
    parts = urlsplit(url)
    if "@" in parts.path:  # a slash in the password: what seems to be the host is the user
        return "unknown"
    values = dict(parse_qsl(parts.query))
    host = parts.hostname or values.get("host", "")
    port = parts.port or values.get("port")
    name = f"[{host}]" if ":" in host else host
    return (f"{name}:{port}" if port else name).replace("\\", "").replace('"', "")  # it is a label of metrics


def _check_hosts(netloc: str) -> list[str]:
    """Return the hosts. Raises ValueError if one is no host with an optional port."""
    hosts = netloc.split(",")
    for host in hosts:
        if len(hosts) > 1 and not host:
            raise ValueError
        _ = urlsplit(f"//{host}").port  # raises for a port that is no number, and for one out of range
    return hosts


def _check_ports(text: str | None, hosts: int) -> None:
    if text is None:
        return
    ports = text.split(",")
    if not all(port.isascii() and port.isdigit() and 0 < int(port) <= MAX_PORT for port in ports):
        raise ValueError("must have a number from 1 to 65535 as `port`, or one for each host")
    if len(ports) not in {1, hosts}:
        raise ValueError("must have one `port`, or one for each host")


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters without blank ones; the last one of a name counts. Raises ValueError."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise ValueError("must have parameters in the form name=value after the `?`") from None
    values = {name: value for name, value in pairs if value}
    for name, value in values.items():
        if name in _UNSUPPORTED:
            raise ValueError(f"has the parameter `{name}`, which is not supported: remove it")
        if value not in _CHOICES.get(name, (value,)):
            raise ValueError(f"has the parameter `{name}`, which must be one of: {', '.join(_CHOICES[name])}")
    return values


def _timeout(text: str | None) -> float | None:
    """Return the seconds of `connect_timeout`. As in libpq, 0 and less is no limit of its own, and 1 is 2."""
    if text is None:
        return None
    try:
        seconds = int(text)
    except ValueError:
        raise ValueError("has the parameter `connect_timeout`, which must be a whole number of seconds") from None
    return None if seconds <= 0 else float(max(seconds, 2))


def _verify(values: dict[str, str]) -> bool:
    """Set the verification of the server's certificate, and return whether it is by the system's certificates.

    asyncpg has no channel binding, which proves that no one sits between. The certificate in full proves it as well.
    """
    binds = values.get("channel_binding") == "require"
    if not binds and values.get("sslrootcert") != SYSTEM_ROOTS:
        return False
    mode = values.get("sslmode")
    if binds and mode == "disable":
        raise ValueError("has channel_binding=require, which needs another `sslmode` than disable")
    if not binds and mode not in {None, "verify-full"}:
        raise ValueError("has sslrootcert=system, which needs sslmode=verify-full")
    values["sslmode"] = "verify-full"
    if values.get("sslrootcert", SYSTEM_ROOTS) != SYSTEM_ROOTS:
        return False
    values.pop("sslrootcert", None)
    return True
