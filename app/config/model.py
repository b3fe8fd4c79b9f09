"""The settings: one frozen value, read once from a file and the environment, that refuses to be incomplete.

`appsettings.json` in the working directory, or the file that is named, gives the values in the spelling of the
documented registry API (`DefaultAdmin`; letter case makes no difference). `OSTIARY_…` variables stand over it, with
`__` between a section and its key (`OSTIARY_DEFAULT_ADMIN__PASSWORD`). Nothing unknown passes; no message holds a
secret.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import unquote, urlsplit

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

from app.config import values
from app.config.limits import Limits
from app.config.request_limits import RequestLimits
from app.config.sources import FILE_VARIABLE, SettingOrigin, SettingsSource, fields, key, variable
from app.domain.errors import SettingsError

FILE = "appsettings.json"
HIDDEN = "(hidden)"
DEFAULT_PASSWORD = "password"  # noqa: S105 - everybody knows it, which is why `check_exposure` stands beside this


class DefaultAdmin(BaseModel):
    """The administrator that is made when there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    user_name: str = Field(
        "admin",
        pattern=r"^[A-Za-z0-9]{1,127}\z",
        description="User name of the administrator made when nobody has the role admin: 1 to 127 letters and digits.",
    )
    email: Annotated[str | None, AfterValidator(values.email)] = Field(
        "admin@example.com", description="That administrator's e-mail address; blank for none."
    )
    password: Annotated[SecretStr, AfterValidator(values.admin_password)] = Field(
        SecretStr(DEFAULT_PASSWORD),
        description="That administrator's first password, 1 to 1,024 characters, free of the policy; never set again"
        " later. The default, password, is good on a loopback address alone.",
    )


class PasswordPolicy(BaseModel):
    """What a new password must have."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    min_length: values.Count = Field(
        12, ge=1, le=values.PASSWORD_CHARACTERS, description="Characters that a new password has at least: 1 to 1024."
    )
    require_digit: bool = Field(False, description="Whether a new password needs a digit.")
    require_uppercase: bool = Field(False, description="Whether a new password needs an upper-case letter.")
    require_lowercase: bool = Field(False, description="Whether a new password needs a lower-case letter.")
    require_non_alphanumeric: bool = Field(
        False, description="Whether a new password needs a character that is neither a letter nor a digit."
    )


class Throttle(BaseModel):
    """How wrong passwords are slowed down."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = Field(True, description="Whether wrong passwords make who sent them wait.")
    free_guesses: values.Count = Field(
        10, ge=1, le=10_000, description="Wrong passwords for one account from one address before the first wait."
    )
    free_guesses_per_account: values.Count = Field(
        20, ge=1, le=10_000, description="The same for one account from all addresses that it was never opened from."
    )
    free_guesses_per_address: values.Count = Field(
        20, ge=1, le=10_000, description="The same for one address and all accounts that were never opened from it."
    )
    longest_wait_seconds: values.Count = Field(
        900, ge=1, le=86_400, description="Each wait is twice the one before, up to so many seconds: 1 to 86400."
    )
    longest_wait_per_account_seconds: values.Count = Field(
        30,
        ge=1,
        le=3600,
        description="The same for one account from all addresses: 1 to 3600.",
    )
    forget_after_minutes: values.Count = Field(
        60, ge=1, le=10_080, description="Minutes without a wrong password after which they are forgotten: 1 to 10080."
    )


class SettingInfo(NamedTuple):
    """A setting as it may be shown to anybody."""

    value: str
    source: str
    description: str
    variable: str


class Settings(BaseSettings):
    """Everything that an operator decides."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(values.database_url)] = Field(
        "sqlite:///data/ostiary.db",
        repr=False,
        description="Where the data is: sqlite:///PATH (relative to the working directory; absolute with four slashes)"
        " or postgresql://user:password@host/database.",
    )
    database_pool_size: values.Count = Field(
        10, ge=1, le=200, description="Connections to PostgreSQL per worker, 1 to 200; without meaning on SQLite."
    )
    default_admin: DefaultAdmin = Field(
        default_factory=DefaultAdmin, description="An object: UserName, Email, Password."
    )
    secret: Annotated[SecretStr | None, AfterValidator(values.strong_secret)] = Field(
        None,
        description="Signs the tokens: at least 32 bytes. Blank: one is made at the first start and kept beside the"
        " SQLite database, or in data/ostiary.secret for PostgreSQL. Several hosts on one database need the same one.",
    )
    token_algorithm: Literal["HS256", "EdDSA"] = Field(
        "HS256",
        description="How tokens are signed: HS256, with Secret; or EdDSA, with keys kept in the database, sealed "
        "under Secret, and published. Those signed in the other way stay good until they end.",
    )
    token_expiration_in_days: values.Count = Field(
        7, ge=1, le=3650, description="Days that a token is good for: 1 to 3650."
    )
    api_token_expiration_in_days: Annotated[values.Count | None, BeforeValidator(values.blank)] = Field(
        365, ge=1, le=3650, description="Days that an API token is good for at most: 1 to 3650; blank for no end."
    )
    revoked_tokens: tuple[Annotated[str, AfterValidator(values.whole_token)], ...] = Field(
        (), repr=False, description="A JSON list of whole tokens that are refused although their time is not over."
    )
    auth_cookie_name: Annotated[str, AfterValidator(values.cookie_name)] = Field(
        "jwtToken",
        description="Name of the cookie that may carry the token: 1 to 128 characters valid in a cookie name.",
    )
    allowed_origins: tuple[Annotated[str, AfterValidator(values.origin)], ...] = Field(
        (),
        description="A JSON list of the origins whose pages may ask this server from a browser, each exactly as"
        " https://app.example.org. They send a token in a header; cookies are for this server's own pages.",
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(values.network)], ...] = Field(
        (),
        description="A JSON list of addresses and networks of proxies that are believed about the client's address and"
        " scheme (X-Forwarded-For, X-Forwarded-Proto). Empty: what such headers say is ignored.",
    )
    introspection: Literal["everyone", "signed-in", "nobody"] = Field(
        "everyone",
        description="Who is shown the GraphQL schema (introspection, /schema.graphql, suggestions in errors):"
        " everyone, signed-in or nobody.",
    )
    executor: Literal["compiled", "stock"] = Field(
        "compiled",
        description="How GraphQL queries are answered: compiled, by plans and the library's own executor where there is"
        " none, or stock, by that alone.",
    )
    http_protocol: Literal["fast", "plain"] = Field(
        "fast",
        description="Which class handles HTTP/1.1: fast, Ostiary's own; or plain, the one of uvicorn. Plain is slower"
        " and has no HeaderBytes, HeaderFields, HeaderSeconds, BodySeconds and Connections: a proxy must limit those.",
    )
    query_seconds: values.Count = Field(
        15,
        ge=1,
        le=3600,
        description="Seconds that a GraphQL query may take, and on SQLite any single read: 1 to 3600.",
    )
    mutation_seconds: values.Count = Field(
        60, ge=1, le=3600, description="Seconds that a GraphQL mutation may take: 1 to 3600."
    )
    limits: Limits = Field(
        default_factory=Limits,
        description="An object: Characters, Tokens, Definitions, Nesting, Directives, Aliases, Depth, Siblings,"
        " Comparisons, RootFields, Selections, Cost, Introspection.",
    )
    request_limits: RequestLimits = Field(
        default_factory=RequestLimits,
        description="An object: HeaderBytes, HeaderFields, HeaderSeconds, BodySeconds, BodyBytes, VariableValues,"
        " Errors, Connections.",
    )
    external_auth_url: Annotated[str | None, AfterValidator(values.external_url)] = Field(
        None,
        description="Who checks passwords and tokens instead of this server: an address that takes a form by POST and"
        " answers a JSON object. Users, roles and passwords are not managed here then. Blank for none.",
    )
    enable_storage_limiter: bool = Field(
        False, description="Whether an upload is refused that would pass the quota of the org's owner (maxStorageMB)."
    )
    ticket_expiration_in_minutes: values.Count = Field(
        60,
        ge=1,
        le=1440,
        description="Minutes that an upload or download ticket is good for, 1 to 1440; then its bytes are free again.",
    )
    enable_default_user_organization: bool | None = Field(
        None,
        description="Whether a new user gets an org of her own, private and named like her; null: if DroneDbClients.",
    )
    enable_organization_member_management: bool = Field(
        False, description="Whether REST changes the members of orgs below /orgs/{slug}/members; GraphQL always does."
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
    hashing_threads: values.Count = Field(
        2,
        ge=1,
        le=64,
        description="Passwords hashed at once in each worker, 1 to 64: each keeps a core and 19 MiB busy for its time.",
    )
    throttle: Throttle = Field(
        default_factory=Throttle,
        description="An object: Enabled, FreeGuesses, FreeGuessesPerAccount, FreeGuessesPerAddress, LongestWaitSeconds,"
        " LongestWaitPerAccountSeconds, ForgetAfterMinutes.",
    )

    log_format: Annotated[Literal["console", "json"] | None, BeforeValidator(values.word)] = Field(
        None,
        description="How the log on stderr looks: console, a line for people; json, an object a line. Blank: console on"
        " a terminal, json elsewhere.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(values.word)] = Field(
        "warning", description="The least that the log tells: debug, info, warning or error."
    )
    log_requests: bool = Field(
        False,
        description="Whether the log has a line for each request; else only for slow ones and unexpected errors.",
    )
    slow_request_milliseconds: values.Count = Field(
        3000, ge=0, le=3_600_000, description="From how many milliseconds on a request is logged as slow; 0 for never."
    )
    metrics_address: Annotated[str | None, AfterValidator(values.listen_address)] = Field(
        None,
        description="A listener of its own for /metrics and /health, as HOST:PORT, open to whoever reaches it:"
        " 127.0.0.1:9100. Blank: none.",
    )
    metrics_token: Annotated[SecretStr | None, AfterValidator(values.metrics_token)] = Field(
        None,
        description="Who shows it as a Bearer token reads /metrics: 16 printable ASCII characters or more. Blank:"
        " nobody reads them there; see MetricsAddress.",
    )
    shutdown_seconds: values.Count = Field(
        20, ge=1, le=3600, description="Seconds that running requests have when the server is told to stop, 1 to 3600."
    )

    _origins: dict[SettingOrigin, tuple[str, str]] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the given values alone; `app/config/sources.py` gathers them and says why."""
        return (init_settings,)

    @classmethod
    def read(cls, file: Path | None = None) -> Self:
        """Read the file (a named one must exist), then the environment; list all that is wrong at once."""
        reading = SettingsSource(FIELDS)
        named = file or os.environ.get(FILE_VARIABLE)
        if named or Path(FILE).exists():
            reading.file(Path(named or FILE))
        reading.environment(os.environ)
        try:
            settings = cls(**reading.values)
        except ValidationError as error:
            reading.wrong += map(reading.explain, error.errors(include_url=False, include_input=False))
        if reading.wrong:
            raise SettingsError("\n".join(reading.wrong))
        settings._origins = reading.origins
        return settings

    @property
    def metrics_endpoint(self) -> tuple[str, int]:
        """Host and port of the listener for metrics; there must be one."""
        host, _, port = (self.metrics_address or "").rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def is_sqlite(self) -> bool:
        """Whether the data is in a SQLite file; else it is on PostgreSQL."""
        return self.database_url.startswith("sqlite:")

    @property
    def signs_with_keys(self) -> bool:
        """Whether tokens are signed with keys of their own, and not with the secret."""
        return self.token_algorithm == "EdDSA"  # noqa: S105 - the name of an algorithm

    @property
    def api_token_lifetime(self) -> timedelta | None:
        """How long an API token may last; None for any time."""
        days = self.api_token_expiration_in_days
        return None if days is None else timedelta(days=days)

    @property
    def makes_personal_orgs(self) -> bool:
        """Whether a new user gets an org of her own."""
        wanted = self.enable_default_user_organization
        return self.drone_db_clients if wanted is None else wanted

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

    def describe(self) -> dict[str, SettingInfo]:
        """Say for every key what it is, who set it and what it means; secrets stay hidden."""
        return {
            key(where): SettingInfo(
                self._shown(where), self._source(where), FIELDS[where].description or "", variable(where)
            )
            for where in self._leaves()
        }

    def _leaves(self) -> Iterator[SettingOrigin]:
        for where in FIELDS:
            if self._value(where[:-1]) is not None and not isinstance(self._value(where), BaseModel):
                yield where

    def _value(self, where: SettingOrigin) -> Any:
        value: Any = self
        for name in where:
            value = getattr(value, name)
        return value

    def _source(self, where: SettingOrigin) -> str:
        return self._origins.get(where, ("", "default"))[1]

    def _shown(self, where: SettingOrigin) -> str:
        value = self._value(where)
        if where == ("database_url",):
            return self.database_shown
        if isinstance(value, SecretStr) or (value and not FIELDS[where].repr):
            return HIDDEN
        return value if isinstance(value, str) else json.dumps(value)


def _without_password(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{HIDDEN}" if "password" in unquote(name).lower() else parameter


FIELDS: Mapping[SettingOrigin, FieldInfo] = dict(fields(Settings))
"""Every section and every setting, by its place."""
