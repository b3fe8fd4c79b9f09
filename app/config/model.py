"""The settings: one frozen object, read once from a file and the environment.

The file is `appsettings.json` in the working directory, or the file named by `--settings`. Its keys are in Pascal case
(`DefaultAdmin`) and match in any letter case. `OSTIARY_…` variables take precedence, with `__` between a section and
its key (`OSTIARY_DEFAULT_ADMIN__PASSWORD`). Unknown names are rejected, and no message contains a secret.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.config import postgres_url, values
from app.config.limits import Limits
from app.config.postgres_url import HIDDEN
from app.config.request_limits import RequestLimits
from app.config.sections import DefaultAdmin, PasswordPolicy
from app.config.sources import FILE_VARIABLE, SettingPath, SettingsSource, fields, key, variable
from app.config.throttle import Throttle
from app.domain.errors import SettingsError

FILE = "appsettings.json"


class SettingInfo(NamedTuple):
    """A setting without secrets, for display."""

    value: str
    source: str
    description: str
    variable: str


class Settings(BaseSettings):
    """All settings of the server."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(values.database_url)] = Field(
        "sqlite:///data/ostiary.db",
        repr=False,
        description="URL of the database: sqlite:///PATH (relative to the working directory; absolute with four"
        " slashes) or postgresql://user:password@host/database.",
    )
    database_pool_size: values.Count = values.count_field(
        10, 1, 200, "Connections to PostgreSQL per worker: {}. Ignored with SQLite."
    )
    database_replicas: values.ReplicaUrls = Field(
        (),
        repr=False,
        description="A JSON list of URLs of read replicas of PostgreSQL, each with one host. GraphQL queries and REST"
        " reads may be answered by a replica that has every change from before the request. Empty: none.",
    )
    default_admin: DefaultAdmin = values.section(DefaultAdmin)
    secret: Annotated[SecretStr | None, AfterValidator(values.strong_secret)] = Field(
        None,
        description="Secret that signs tokens: at least 32 bytes. Blank: a secret is generated at the first start and"
        " stored beside the SQLite database, or in data/ostiary.secret for PostgreSQL. All hosts of one database need"
        " the same secret.",
    )
    token_algorithm: Literal["HS256", "EdDSA"] = Field(
        "HS256",
        description="Algorithm that signs tokens: HS256 with Secret, or EdDSA with keys in the database. The keys are"
        " encrypted with Secret, and their public parts are published. Tokens of the other algorithm stay valid until"
        " they expire.",
    )
    token_expiration_in_days: values.Count = values.count_field(7, 1, 3_650, "Days until a token expires: {}.")
    api_token_expiration_in_days: Annotated[values.Count | None, BeforeValidator(values.blank_to_none)] = Field(
        365, ge=1, le=3650, description="Longest lifetime of an API token in days: 1 to 3,650. Blank: unlimited."
    )
    revoked_tokens: tuple[Annotated[str, AfterValidator(values.complete_token)], ...] = Field(
        (), repr=False, description="A JSON list of complete tokens that are rejected before they expire."
    )
    auth_cookie_name: Annotated[str, AfterValidator(values.cookie_name)] = Field(
        "jwtToken",
        description="Name of the cookie with the session token: 1 to 128 characters that are valid in a cookie name.",
    )
    allowed_origins: tuple[Annotated[str, AfterValidator(values.origin)], ...] = Field(
        (),
        description="A JSON list of origins, such as https://app.example.org, whose pages may call this server from a"
        " browser. They send the token in a header; cookies are accepted from this server's own pages only.",
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(values.proxy)], ...] = Field(
        (),
        description="A JSON list of addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto"
        " headers are used; unix for all clients of a unix socket. Empty: these headers are ignored.",
    )
    root_path: Annotated[str, AfterValidator(values.path_prefix)] = Field(
        "",
        description="Path before all addresses of this server, such as /ostiary, which a proxy removes. Empty: none.",
    )
    introspection: Literal["everyone", "signed-in", "nobody"] = Field(
        "everyone",
        description="Clients that may read the GraphQL schema (introspection, /schema.graphql, suggestions in errors):"
        " everyone, signed-in or nobody.",
    )
    statistics: Literal["everyone", "managers"] = Field(
        "managers",
        description="Clients that get the statistics of a GraphQL request by the header Ostiary-Stats: everyone, for a"
        " registry without secrets such as one of a developer, or managers, who hold USERS_VIEW, GROUPS_VIEW and"
        " RESOURCES_VIEW. To others the number of statements would tell what is hidden from what does not exist.",
    )
    console: bool = Field(
        True,
        description="Serve the web console at / and below /account, /audit, /groups, /licenses, /login, /organizations,"
        " /resources and /settings. If false, these addresses are not served, and / leads to /graphql, where GraphiQL"
        " stays.",
    )
    group_contact: values.Contact = values.contact_field(
        "How to ask for a group or its membership: {}. The console shows it; everybody can read it."
    )
    executor: Literal["compiled", "reference"] = Field(
        "compiled",
        description="Executor of GraphQL operations: compiled runs a plan where there is one; reference always runs the"
        " executor of graphql-core.",
    )
    http_protocol: Literal["fast", "plain"] = Field(
        "fast",
        description="Which class handles HTTP/1.1: fast, Ostiary's own; or plain, the one of uvicorn. Plain is slower"
        " and has no HeaderBytes, HeaderFields, HeaderSeconds, BodySeconds and Connections: a proxy must limit those.",
    )
    query_seconds: values.Count = values.count_field(
        15, 1, 3_600, "Time limit in seconds of a GraphQL query, and on SQLite of every read: {}."
    )
    mutation_seconds: values.Count = values.count_field(
        60, 1, 3_600, "Time limit in seconds of a GraphQL mutation: {}."
    )
    bulk_hashing_seconds: values.Count = values.count_field(
        600,
        1,
        3_600,
        "Time limit in seconds for hashing the passwords of new users in one GraphQL request: {}. MutationSeconds does"
        " not include this time.",
    )
    limits: Limits = values.section(Limits)
    request_limits: RequestLimits = values.section(RequestLimits)
    external_auth_url: Annotated[str | None, AfterValidator(values.external_url)] = Field(
        None,
        description="URL of an identity provider that checks passwords and tokens instead of this server. It"
        " accepts a form by POST and returns a JSON object. Users, roles and passwords are then managed there. Blank:"
        " none.",
    )
    enable_storage_limiter: bool = Field(
        False,
        description="Reject uploads that exceed the storage quota of the org, or the one of its owner (maxStorageMB).",
    )
    default_org_storage_mb: Annotated[values.Count | None, BeforeValidator(values.blank_to_none)] = Field(
        10_240,
        ge=0,
        le=2**33 - 1,
        description="Megabytes of 1,048,576 bytes that an org may store if it has neither an owner nor a quota of its"
        " own: 0 to 8,589,934,591. Used with EnableStorageLimiter. Blank: unlimited.",
    )
    ticket_expiration_in_minutes: values.Count = values.count_field(
        60, 1, 1_440, "Minutes until an upload or download ticket expires and releases its reserved bytes: {}."
    )
    enable_default_user_organization: bool | None = Field(
        None,
        description="Create a private org with the user's name for every new user. Null: the value of DroneDbClients.",
    )
    enable_organization_member_management: bool = Field(
        False, description="Allow REST to change the members of orgs at /orgs/{slug}/members. GraphQL always can."
    )
    password_policy: PasswordPolicy | None = values.section(PasswordPolicy, "; null for no requirements.")
    drone_db_clients: bool = Field(
        False, description="Adapt REST responses to DroneDB's own clients: `expires` in seconds, 401 instead of 403."
    )
    hashing_threads: values.Count = values.count_field(
        2, 1, 64, "Threads that hash passwords in each worker: {}. A busy thread uses one core and 19 MiB."
    )
    throttle: Throttle = values.section(Throttle)
    log_format: Annotated[Literal["console", "json"] | None, BeforeValidator(values.choice)] = Field(
        None,
        description="Format of the log on stderr: console for text, json for one JSON object a line. Blank: console on"
        " a terminal, else json.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(values.choice)] = Field(
        "warning", description="Lowest level that is logged: debug, info, warning or error."
    )
    log_requests: bool = Field(
        False, description="Log every request. If false, only slow requests and unexpected errors are logged."
    )
    slow_request_milliseconds: values.Count = values.count_field(
        3_000, 0, 3_600_000, "Milliseconds from which a request is logged as slow. 0: never."
    )
    metrics_address: Annotated[str | None, AfterValidator(values.listen_address)] = Field(
        None,
        description="Separate address for /metrics and /health, as HOST:PORT, such as 127.0.0.1:9100, without a token."
        " Blank: none.",
    )
    metrics_token: Annotated[SecretStr | None, AfterValidator(values.metrics_token)] = Field(
        None,
        description="Bearer token for /metrics: at least 16 printable ASCII characters. Blank: /metrics is not served"
        " at the public address; see MetricsAddress.",
    )
    traces_endpoint: Annotated[str | None, AfterValidator(values.traces_endpoint)] = Field(
        None,
        description="Address of an OpenTelemetry collector that gets a trace of each sampled request by OTLP/HTTP in"
        " JSON, such as http://127.0.0.1:4318. Without a path, /v1/traces is added. Blank: no traces.",
    )
    traces_ratio: values.Ratio = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the requests that are traced: 0 to 1. A valid traceparent header decides about its"
        " request instead. Used with TracesEndpoint.",
    )
    audit_keep: Annotated[values.Count | None, BeforeValidator(values.blank_to_none)] = values.days_field(
        None, "Days that audit events are kept: {}. The server removes older ones, and an event says so."
    )
    ended_keep: Annotated[values.Count | None, BeforeValidator(values.blank_to_none)] = values.days_field(
        90,
        "Days after their end that memberships, grants to users and groups, and API tokens are kept: {}. The server"
        " removes older ones.",
    )
    backup_every: Annotated[str | None, BeforeValidator(values.blank_to_none), AfterValidator(values.duration)] = Field(
        None,
        description="Time between two backups that the server makes by itself: minutes, hours or days, such as 90m, 24h"
        " or 7d, from 1m to 366d. Blank: none.",
    )
    backup_keep: values.Count = values.count_field(
        7,
        1,
        10_000,
        "Backups that stay in BackupFolder when the server has made another one: {}. It deletes older ones.",
    )
    backup_folder: Annotated[str | None, BeforeValidator(values.blank_to_none)] = Field(
        None,
        description="Folder of the backups of BackupEvery and `ostiary backup`. Blank: the folder backups beside the"
        " SQLite file, or data/backups for PostgreSQL.",
    )
    shutdown_seconds: values.Count = values.count_field(
        20, 1, 3_600, "Seconds for running requests to finish when the server stops: {}."
    )

    _origins: dict[SettingPath, tuple[str, str]] = PrivateAttr(default_factory=dict)

    @field_validator("database_replicas")
    @classmethod
    def _require_primary(cls, urls: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if urls and info.data.get("database_url", "").startswith("sqlite:"):
            raise ValueError("needs PostgreSQL: remove it, or set DatabaseUrl to a postgresql:// URL")
        return urls

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use no sources of pydantic-settings; `app/config/sources.py` replaces them."""
        return (init_settings,)

    @classmethod
    def read(cls, file: Path | None = None, **overrides: object) -> Self:
        """Read the file, then the environment. Raises SettingsError with all problems.

        A file that is named by the argument or by its variable must exist. The value of an override is taken as it is.
        """
        source = SettingsSource(FIELDS, overrides)
        named = file or os.environ.get(FILE_VARIABLE)
        if named or Path(FILE).exists():
            source.read_file(Path(named or FILE))
        source.read_environment(os.environ)
        try:
            settings = cls(**source.values)
        except ValidationError as error:
            source.problems += map(source.explain, error.errors(include_url=False, include_input=False))
        if source.problems:
            raise SettingsError("\n".join(source.problems))
        settings._origins = source.origins
        return settings

    @property
    def metrics_endpoint(self) -> tuple[str, int]:
        """Host and port of the metrics listener, if `metrics_address` is set."""
        host, _, port = (self.metrics_address or "").rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def is_sqlite(self) -> bool:
        """True for a SQLite file, False for PostgreSQL."""
        return self.database_url.startswith("sqlite:")

    @property
    def signs_with_keys(self) -> bool:
        """True if tokens are signed with the keys in the database, False if with the secret."""
        return self.token_algorithm == "EdDSA"  # noqa: S105 - the name of an algorithm

    @property
    def api_token_lifetime(self) -> timedelta | None:
        """Longest lifetime of an API token; None for unlimited."""
        days = self.api_token_expiration_in_days
        return None if days is None else timedelta(days=days)

    @property
    def makes_personal_orgs(self) -> bool:
        """True if every new user gets a personal org."""
        is_enabled = self.enable_default_user_organization
        return self.drone_db_clients if is_enabled is None else is_enabled

    @property
    def sqlite_path(self) -> Path:
        """Absolute path of the SQLite file. Raises ValueError on PostgreSQL."""
        if not self.is_sqlite:
            raise ValueError("the database is on PostgreSQL")
        return Path(self.database_url.removeprefix("sqlite:///")).absolute()

    @property
    def secret_path(self) -> Path:
        """Absolute path of the generated secret: beside the SQLite file, or `data/ostiary.secret` for PostgreSQL."""
        if self.is_sqlite:
            return self.sqlite_path.with_name(f"{self.sqlite_path.name}.secret")
        return Path("data/ostiary.secret").absolute()

    @property
    def audit_lifetime(self) -> timedelta | None:
        """Time that audit events are kept; None for ever."""
        return None if self.audit_keep is None else timedelta(days=self.audit_keep)

    @property
    def ended_lifetime(self) -> timedelta | None:
        """Time that ended memberships, grants and API tokens are kept; None for ever."""
        return None if self.ended_keep is None else timedelta(days=self.ended_keep)

    @property
    def backup_interval(self) -> timedelta | None:
        """Time between two backups of the server; None if it makes none."""
        return None if self.backup_every is None else values.parse_duration(self.backup_every)

    @property
    def backup_path(self) -> Path:
        """Absolute path of the folder of backups."""
        return Path(self.backup_folder).absolute() if self.backup_folder else self.secret_path.with_name("backups")

    @property
    def redacted_database_url(self) -> str:
        """The database URL without its passwords, for display."""
        if self.is_sqlite:
            return self.database_url
        return postgres_url.redact(self.database_url)

    def describe(self) -> dict[str, SettingInfo]:
        """Return every setting by its key, with hidden secrets."""
        return {
            key(path): SettingInfo(
                self._display(path), self._source(path), FIELDS[path].description or "", variable(path)
            )
            for path in self._leaves()
        }

    def _leaves(self) -> Iterator[SettingPath]:
        for path in FIELDS:
            if self._value(path[:-1]) is not None and not isinstance(self._value(path), BaseModel):
                yield path

    def _value(self, path: SettingPath) -> Any:
        value: Any = self
        for name in path:
            value = getattr(value, name)
        return value

    def _source(self, path: SettingPath) -> str:
        return self._origins.get(path, ("", "default"))[1]

    def _display(self, path: SettingPath) -> str:
        value = self._value(path)
        if path == ("database_url",):
            return self.redacted_database_url
        if isinstance(value, SecretStr) or (value and not FIELDS[path].repr):
            return HIDDEN
        return value if isinstance(value, str) else json.dumps(value)


FIELDS: Mapping[SettingPath, FieldInfo] = dict(fields(Settings))
"""Every section and every setting, by its path."""
