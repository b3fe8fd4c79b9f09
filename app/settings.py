"""The settings: one frozen value, read once from a file and the environment, that refuses to be incomplete.

`appsettings.json` in the working directory, or the file that is named, gives the values in the spelling of the
documented registry API (`DefaultAdmin`; letter case makes no difference). `OSTIARY_…` variables stand over it, with
`__` between a section and its key (`OSTIARY_DEFAULT_ADMIN__PASSWORD`). Nothing unknown passes; no message holds a
secret.
"""

import http.cookies
import ipaddress
import json
import logging
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.errors import SettingsError
from app.written import FILE_VARIABLE, Where, Written, fields, key, variable

log = logging.getLogger(__name__)

FILE = "appsettings.json"
HIDDEN = "(hidden)"
SECRET_BYTES = 32
"""What HS256 needs: a key as long as its hash (RFC 7518, 3.2)."""
DEFAULT_PASSWORD = "password"  # noqa: S105 - everybody knows it, which is why `check_exposure` stands below
PASSWORD_CHARACTERS = 1024
EMAIL_CHARACTERS = 254


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


def _database_url(url: str) -> str:
    if not url.isprintable():
        raise ValueError("must not hold control characters")
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "sqlite":
        return _sqlite_url(rest)
    if scheme.lower() in ("postgresql", "postgres"):
        return _postgres_url(rest)
    raise ValueError("must begin with sqlite:/// or postgresql://, with no driver's name in it")


def _secret(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value() if value else ""
    if text.strip() and len(text.encode()) < SECRET_BYTES:
        raise ValueError(f"must be at least {SECRET_BYTES} bytes long")
    return value if text.strip() else None


def _admin_password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not 1 <= len(text) <= PASSWORD_CHARACTERS or "\0" in text:
        raise ValueError(f"must have 1 to {PASSWORD_CHARACTERS:,} characters and no NUL")
    return value


def _email(value: str | None) -> str | None:
    text = (value or "").strip()
    if text and (len(text) > EMAIL_CHARACTERS or not re.fullmatch(r"[^@\s]+@[^@\s]+", text)):
        raise ValueError(f"must be an e-mail address of at most {EMAIL_CHARACTERS} characters")
    return text or None


def _cookie_name(value: str) -> str:
    if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]{1,128}", value, re.ASCII) or http.cookies.Morsel().isReservedKey(value):
        raise ValueError("must be a valid cookie name")
    return value


def _token(value: str) -> str:
    if not re.fullmatch(r"[^.\s]+(\.[^.\s]+){2}", value.strip()):
        raise ValueError("must be a whole token: three parts with dots between them")
    return value.strip()


def _no_external_authentication(value: str | None) -> None:
    if value and value.strip():
        raise ValueError("external authentication is not available in this version")


def _no_storage_limiter(value: bool) -> bool:
    if value:
        raise ValueError("the storage limiter is not available in this version")
    return value


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


Count = Annotated[int, BeforeValidator(_no_boolean)]


class DefaultAdmin(BaseModel):
    """The administrator that is made when there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    user_name: str = Field(
        "admin",
        pattern=r"^[A-Za-z0-9]{1,127}\z",
        description="User name of the administrator made when nobody has the role admin: 1 to 127 letters and digits.",
    )
    email: Annotated[str | None, AfterValidator(_email)] = Field(
        "admin@example.com", description="That administrator's e-mail address; blank for none."
    )
    password: Annotated[SecretStr, AfterValidator(_admin_password)] = Field(
        SecretStr(DEFAULT_PASSWORD),
        description="That administrator's first password, 1 to 1,024 characters, free of the policy; never set again"
        " later. The default, password, is good on a loopback address alone.",
    )


class PasswordPolicy(BaseModel):
    """What a new password must have."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    min_length: Count = Field(
        12, ge=1, le=PASSWORD_CHARACTERS, description="Characters that a new password has at least: 1 to 1024."
    )
    require_digit: bool = Field(False, description="Whether a new password needs a digit.")
    require_uppercase: bool = Field(False, description="Whether a new password needs an upper-case letter.")
    require_lowercase: bool = Field(False, description="Whether a new password needs a lower-case letter.")
    require_non_alphanumeric: bool = Field(
        False, description="Whether a new password needs a character that is neither a letter nor a digit."
    )


class Described(NamedTuple):
    """A setting as it may be shown to anybody."""

    value: str
    source: str
    description: str
    variable: str


class Settings(BaseSettings):
    """Everything that an operator decides."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///data/ostiary.db",
        repr=False,
        description="Where the data is: sqlite:///PATH (relative to the working directory; absolute with four slashes)"
        " or postgresql://user:password@host/database.",
    )
    database_pool_size: Count = Field(
        10, ge=1, le=200, description="Connections to PostgreSQL per worker, 1 to 200; without meaning on SQLite."
    )
    default_admin: DefaultAdmin = Field(
        default_factory=DefaultAdmin, description="An object: UserName, Email, Password."
    )
    secret: Annotated[SecretStr | None, AfterValidator(_secret)] = Field(
        None,
        description="Signs the tokens: at least 32 bytes. Blank: one is made at the first start and kept beside the"
        " SQLite database, or in data/ostiary.secret for PostgreSQL. Several hosts on one database need the same one.",
    )
    token_expiration_in_days: Count = Field(7, ge=1, le=3650, description="Days that a token is good for: 1 to 3650.")
    revoked_tokens: tuple[Annotated[str, AfterValidator(_token)], ...] = Field(
        (), repr=False, description="A JSON list of whole tokens that are refused although their time is not over."
    )
    auth_cookie_name: Annotated[str, AfterValidator(_cookie_name)] = Field(
        "jwtToken",
        description="Name of the cookie that may carry the token: 1 to 128 characters valid in a cookie name.",
    )
    external_auth_url: Annotated[str | None, AfterValidator(_no_external_authentication)] = Field(
        None, description="Reserved for external authentication: leave it out or blank."
    )
    enable_storage_limiter: Annotated[bool, AfterValidator(_no_storage_limiter)] = Field(
        False, description="Reserved for storage quotas: leave it out or false."
    )
    password_policy: PasswordPolicy | None = Field(
        default_factory=PasswordPolicy,
        description="An object: MinLength, RequireDigit, RequireUppercase, RequireLowercase, RequireNonAlphanumeric;"
        " null demands nothing.",
    )
    drone_db_clients: bool = Field(
        False,
        description="Whether REST answers as DroneDB's own clients need it: expires in seconds, 401 instead of 403.",
    )
    hashing_threads: Count = Field(
        2,
        ge=1,
        le=64,
        description="Passwords hashed at once in each worker, 1 to 64: each keeps a core and 19 MiB busy for its time.",
    )

    _origins: dict[Where, tuple[str, str]] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the given values alone; `app/written.py` gathers them and says why."""
        return (init_settings,)

    @classmethod
    def read(cls, file: Path | None = None) -> Self:
        """Read the file (a named one must exist), then the environment; list all that is wrong at once."""
        reading = Written(FIELDS)
        named = file or os.environ.get(FILE_VARIABLE)
        if named or Path(FILE).exists():
            reading.file(Path(named or FILE))
        reading.environment(os.environ)
        try:
            settings = cls(**reading.values)
        except ValidationError as error:
            reading.wrong += map(reading.explained, error.errors(include_url=False, include_input=False))
        if reading.wrong:
            raise SettingsError("\n".join(reading.wrong))
        settings._origins = reading.origins
        return settings

    @property
    def is_sqlite(self) -> bool:
        """Whether the data is in a SQLite file; else it is on PostgreSQL."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path:
        """The absolute path of the SQLite file; there is none on PostgreSQL."""
        if not self.is_sqlite:
            raise ValueError("the database is on PostgreSQL")
        return Path(self.database_url.removeprefix("sqlite:///")).absolute()

    @property
    def secret_path(self) -> Path:
        """Where a generated secret is kept: beside the SQLite file, or in the working directory's `data`."""
        if self.is_sqlite:
            return self.sqlite_path.with_name(f"{self.sqlite_path.name}.secret")
        return Path("data/ostiary.secret").absolute()

    @property
    def database_shown(self) -> str:
        """The database's URL as it may be printed."""
        if self.is_sqlite:
            return self.database_url
        parts = urlsplit(self.database_url)
        user, at, hosts = parts.netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        query = "&".join(map(_without_password, parts.query.split("&")))
        return parts._replace(netloc=f"{name}{colon}{HIDDEN if colon else ''}{at}{hosts}", query=query).geturl()

    def describe(self) -> dict[str, Described]:
        """Say for every key what it is, who set it and what it means; secrets stay hidden."""
        return {
            key(where): Described(
                self._shown(where), self._source(where), FIELDS[where].description or "", variable(where)
            )
            for where in self._leaves()
        }

    def _leaves(self) -> Iterator[Where]:
        for where in FIELDS:
            if self._value(where[:-1]) is not None and not isinstance(self._value(where), BaseModel):
                yield where

    def _value(self, where: Where) -> Any:
        value: Any = self
        for name in where:
            value = getattr(value, name)
        return value

    def _source(self, where: Where) -> str:
        return self._origins.get(where, ("", "default"))[1]

    def _shown(self, where: Where) -> str:
        value = self._value(where)
        if where == ("database_url",):
            return self.database_shown
        if isinstance(value, SecretStr) or (value and not FIELDS[where].repr):
            return HIDDEN
        return value if isinstance(value, str) else json.dumps(value)


def _without_password(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{HIDDEN}" if "password" in unquote(name).lower() else parameter


FIELDS: Mapping[Where, FieldInfo] = dict(fields(Settings))
"""Every section and every setting, by its place."""


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
        if not path.exists() and _made(path) and not settings.is_sqlite:
            log.warning("made a signing secret in %s: if several hosts serve this database, set Secret on all", path)
        return _kept(path)
    except OSError as error:
        raise SettingsError(
            f"{path}: the signing secret cannot be kept there ({error.strerror}); allow it or set OSTIARY_SECRET"
        ) from None


def _made(path: Path) -> bool:
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


def _kept(path: Path) -> bytes:
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
