"""Claims about settings: they come from a file and the environment, and an error has the name, never the value."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.config import FIELDS, PasswordPolicy, Settings, check_exposure, is_loopback, secret
from app.config.sources import key, variable
from app.domain.errors import SettingsError

LONG = "a-secret-of-more-than-thirty-two-bytes"
HUSH = "geheimnis"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("OSTIARY_"):
            monkeypatch.delenv(name)


def write(document: object, name: str = "appsettings.json") -> Path:
    path = Path(name)
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def complaints(file: Path | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.read(file)
    assert HUSH not in str(caught.value)
    return str(caught.value).splitlines()


def test_without_file_and_environment_the_documented_defaults_hold() -> None:
    settings = Settings.read()

    assert settings.database_url == "sqlite:///data/ostiary.db"
    assert settings.sqlite_path == Path.cwd() / "data/ostiary.db"
    assert settings.default_admin.user_name == "admin"
    assert settings.default_admin.email == "admin@example.com"
    assert settings.default_admin.password.get_secret_value() == "password"
    assert settings.password_policy == PasswordPolicy(min_length=12)
    assert (settings.token_expiration_in_days, settings.auth_cookie_name) == (7, "jwtToken")
    assert (settings.secret, settings.revoked_tokens, settings.external_auth_url) == (None, (), None)
    assert (settings.database_pool_size, settings.hashing_threads, settings.drone_db_clients) == (10, 2, False)


def test_the_seeds_file_is_read_in_any_letter_case_and_with_a_byte_order_mark() -> None:
    admin = {"Email": "a@example.org", "username": "ann", "PASSWORD": "a better one"}
    write("\ufeff" + json.dumps({"defaultadmin": admin, "Secret": LONG, "TOKENEXPIRATIONINDAYS": 3}))

    settings = Settings.read()

    assert settings.default_admin.user_name == "ann"
    assert settings.default_admin.password.get_secret_value() == "a better one"
    assert secret(settings) == LONG.encode()
    assert settings.token_expiration_in_days == 3


def test_the_environment_stands_over_the_file_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    write({"DefaultAdmin": {"UserName": "ann", "Email": "ann@example.org"}, "PasswordPolicy": None})
    monkeypatch.setenv("OSTIARY_DEFAULT_ADMIN__EMAIL", "eve@example.org")
    monkeypatch.setenv("OSTIARY_PASSWORD_POLICY", '{"RequireDigit": true, "MinLength": 8}')
    monkeypatch.setenv("OSTIARY_PASSWORD_POLICY__MIN_LENGTH", "9")
    monkeypatch.setenv("OSTIARY_REVOKED_TOKENS", '["a.b.c", " d.e.f "]')
    monkeypatch.setenv("OSTIARY_DRONE_DB_CLIENTS", "true")

    settings = Settings.read()

    assert (settings.default_admin.user_name, settings.default_admin.email) == ("ann", "eve@example.org")
    assert settings.password_policy == PasswordPolicy(min_length=9, require_digit=True)
    assert settings.revoked_tokens == ("a.b.c", "d.e.f")
    assert settings.drone_db_clients


def test_null_takes_the_password_policy_away_in_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    write({"PasswordPolicy": {"MinLength": 8}})
    monkeypatch.setenv("OSTIARY_PASSWORD_POLICY", "null")

    assert Settings.read().password_policy is None


def test_a_named_file_must_exist_and_the_variable_names_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaints(Path("no.json")) == ["no.json: the settings file cannot be read: No such file or directory"]

    monkeypatch.setenv("OSTIARY_SETTINGS_FILE", str(write({"HashingThreads": 3}, "other.json")))
    assert Settings.read().hashing_threads == 3


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, '{"Secret": "geheimnis'])
def test_a_file_that_is_not_one_json_object_is_refused(text: str) -> None:
    write(text)

    assert all(line.startswith("appsettings.json: the settings file") for line in complaints())


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"DatabaseURI": 1}, "DatabaseURI in appsettings.json: there is no such setting; did you mean DatabaseUrl?"),
        ({"default_admin": {}}, "did you mean DefaultAdmin?"),
        ({"MinLength": 8}, "did you mean PasswordPolicy.MinLength?"),
        ({"DefaultAdmin": {"Pasword": HUSH}}, "DefaultAdmin.Pasword in appsettings.json: there is no such setting;"),
        ({"DefaultAdmin.Password": HUSH}, "did you mean DefaultAdmin.Password?"),
        ({"Zebra": HUSH}, "`ostiary settings` lists all settings"),
        ({"Sec\nret": HUSH}, "there is no such setting; did you mean Secret?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(document: Any, hint: str) -> None:
    write(document)

    (line,) = complaints()

    assert hint in line


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("OSTIARY_DEFAULT_ADMIN_PASSWORD", "did you mean OSTIARY_DEFAULT_ADMIN__PASSWORD?"),
        ("OSTIARY_PASSWORD", "did you mean OSTIARY_DEFAULT_ADMIN__PASSWORD?"),
        ("OSTIARY_DATABASEURL", "did you mean OSTIARY_DATABASE_URL?"),
        ("OSTIARY_PORT", "there is no such setting"),
        ("OSTIARY_", "there is no such setting"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.setenv(name, HUSH)

    (line,) = complaints()

    assert line.startswith(f"{name}: ")
    assert hint in line


def test_what_kubernetes_says_about_a_service_of_our_name_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_5000_TCP", "PORT_5000_TCP_ADDR"):
        monkeypatch.setenv(f"OSTIARY_{name}", "10.0.0.1")
    monkeypatch.setenv("OSTIARY_PORT", "tcp://10.0.0.1:5000")

    assert Settings.read() == Settings()


def test_the_same_key_in_two_letter_cases_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    write('{"Secret": 1, "secret": "geheimnis", "DefaultAdmin": {"Email": "", "email": ""}}')
    monkeypatch.setenv("OSTIARY_HASHING_THREADS", "3")
    monkeypatch.setenv("ostiary_hashing_threads", "4")

    lines = complaints()

    assert [line.split(":")[0] for line in lines] == [
        "secret in appsettings.json",
        "DefaultAdmin.email in appsettings.json",
        "ostiary_hashing_threads",
        "Secret in appsettings.json",
    ]
    assert all("is set twice" in line for line in lines[:3])


INVALID_VALUES = [
    ("DatabaseUrl", "mysql://root:geheimnis@host/d", "must begin with sqlite:/// or postgresql://"),
    ("DatabaseUrl", "postgresql+asyncpg://u:geheimnis@h/d", "without the name of a driver"),
    ("DatabaseUrl", "", "must begin with"),
    ("DatabaseUrl", "sqlite://", "must name a file"),
    ("DatabaseUrl", "sqlite:///", "must name a file"),
    ("DatabaseUrl", "sqlite://host/file", "must name a file"),
    ("DatabaseUrl", "sqlite:///data/", "must name a file"),
    ("DatabaseUrl", "sqlite:///:memory:", "in memory"),
    ("DatabaseUrl", "sqlite:///file:x?mode=memory", "in memory"),
    ("DatabaseUrl", "postgresql://u:geheimnis@h", "must name a database"),
    ("DatabaseUrl", "postgresql://u:geheim/geheimnis@h/d", "is not a URL"),
    ("DatabaseUrl", "postgresql://u:geheim#geheimnis@h/d", "percent-encode"),
    ("DatabaseUrl", "postgresql://u@h/d#geheimnis", "%23 for #"),
    ("DatabaseUrl", "postgresql://u:geheim geheimnis@h/d", "%20 for a space"),
    ("DatabaseUrl", "postgresql://u:geheimnis@[h/d", "is not a URL"),
    ("DatabaseUrl", "postgresql://u:geheimnis@h:port/d", "is not a URL"),
    ("DatabaseUrl", "postgresql://u:geheimnis@h/d\n", "control characters"),
    ("DatabasePoolSize", 0, "must be a whole number from 1 to 200. "),
    ("DatabasePoolSize", 201, "must be a whole number from 1 to 200. "),
    ("DatabasePoolSize", True, "must be a whole number from 1 to 200. "),
    ("DefaultAdmin", None, "must be a JSON object"),
    ("DefaultAdmin.UserName", "an admin", "must match"),
    ("DefaultAdmin.UserName", "", "must match"),
    ("DefaultAdmin.UserName", "admin\n", "must match"),
    ("DefaultAdmin.Email", "geheim", "must be an e-mail address"),
    ("DefaultAdmin.Password", "", "1 to 1,024 characters"),
    ("DefaultAdmin.Password", HUSH * 200, "1 to 1,024 characters"),
    ("DefaultAdmin.Password", HUSH + "\0", "no NUL"),
    ("DefaultAdmin.Password", None, "must be a valid string"),
    ("Secret", HUSH, "at least 32 bytes"),
    ("Secret", [HUSH], "must be a valid string"),
    ("TokenExpirationInDays", 0, "must be a whole number from 1 to 3,650. "),
    ("TokenExpirationInDays", 3651, "must be a whole number from 1 to 3,650. "),
    ("TokenExpirationInDays", 1.5, "must be a whole number from 1 to 3,650. "),
    ("TokenExpirationInDays", "soon", "must be a whole number from 1 to 3,650. "),
    ("RevokedTokens", "a.b.c", "must be a JSON list of strings"),
    ("RevokedTokens", {}, "must be a JSON list of strings"),
    ("AuthCookieName", "", "valid cookie name"),
    ("AuthCookieName", "a b", "valid cookie name"),
    ("AuthCookieName", "a=b", "valid cookie name"),
    ("AuthCookieName", "Path", "valid cookie name"),
    ("AllowedOrigins", "https://app.example.org", "must be a JSON list of strings"),
    ("Introspection", "Everyone", "must be 'everyone', 'signed-in' or 'nobody'"),
    ("QuerySeconds", 0, "must be a whole number from 1 to 3,600. "),
    ("MutationSeconds", 3601, "must be a whole number from 1 to 3,600. "),
    ("Limits", None, "must be a JSON object"),
    ("Limits.Tokens", 99, "must be a whole number from "),
    ("Limits.Nesting", 101, "must be a whole number from "),
    ("GroupContact", "one\nanother", "must be one line of at most 500 printable characters"),
    ("ExternalAuthUrl", "ldap://auth.example.org", "must be a URL that begins with http:// or https://"),
    ("ExternalAuthUrl", "https://ann:word@auth.example.org", "must not contain credentials"),
    ("ExternalAuthUrl", "https://auth.example.org:port", "is not a URL"),
    ("TicketExpirationInMinutes", 0, "must be a whole number from "),
    ("PasswordPolicy", 8, "must be a JSON object"),
    ("PasswordPolicy.MinLength", 1025, "must be a whole number from 1 to 1,024. "),
    ("PasswordPolicy.RequireDigit", "perhaps", "must be a valid boolean"),
    ("DroneDbClients", None, "must be a valid boolean"),
    ("HashingThreads", 65, "must be a whole number from 1 to 64. "),
    ("LogFormat", "xml", "must be 'console' or 'json'"),
    ("LogLevel", "trace", "must be 'debug', 'info', 'warning' or 'error'"),
    ("LogRequests", "often", "must be a valid boolean"),
    ("SlowRequestMilliseconds", -1, "must be a whole number from "),
    ("MetricsToken", "too short", "must be at least 16 printable ASCII characters without a space"),
    ("AuditKeep", "x", "must be a whole number from 1 to 36,500. "),
    ("ShutdownSeconds", 0, "must be a whole number from "),
]


@pytest.mark.parametrize(("name", "value", "what"), INVALID_VALUES)
def test_an_error_names_and_explains_an_invalid_value_and_never_shows_it(name: str, value: object, what: str) -> None:
    section, _, inner = name.rpartition(".")
    write({section: {inner: value}} if section else {name: value})

    (line,) = complaints()

    assert line.startswith(f"{name} in appsettings.json: ")
    assert what in line
    assert line.endswith(next(field.description or "" for where, field in FIELDS.items() if key(where) == name))


@pytest.mark.parametrize(
    ("name", "value", "what"), [row for row in INVALID_VALUES if isinstance(row[1], str) and "\0" not in row[1]]
)
def test_an_error_names_an_invalid_variable_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, what: str
) -> None:
    written = next(variable(where) for where in FIELDS if key(where) == name)
    monkeypatch.setenv(written, value)

    (line,) = complaints()

    assert line.startswith(f"{written}: ")
    assert what in line


def test_text_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    write('{"DefaultAdmin": {"Password": "geheimnis\\ud800"}}')
    monkeypatch.setenv("OSTIARY_SECRET", os.fsdecode(HUSH.encode() + b"\xff"))

    lines = complaints()

    assert [line.split(":")[0] for line in lines] == ["DefaultAdmin.Password in appsettings.json", "OSTIARY_SECRET"]
    assert all("not UTF-8, or an incomplete character" in line for line in lines)


def test_an_entry_of_a_list_is_counted_and_all_offenders_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write({"RevokedTokens": ["a.b.c", HUSH], "Zebra": 1, "Secret": HUSH})
    monkeypatch.setenv("OSTIARY_HASHING_THREADS", "0")

    assert [line.split(":")[0] for line in complaints()] == [
        "Zebra in appsettings.json",
        "Secret in appsettings.json",
        "RevokedTokens in appsettings.json, entry 2",
        "OSTIARY_HASHING_THREADS",
    ]


ORIGINS = {
    "https://app.example.org": "https://app.example.org",
    " HTTPS://App.Example.ORG:443 ": "https://app.example.org",
    "http://localhost:3000": "http://localhost:3000",
    "http://[::1]:80": "http://[::1]",
}


def test_origins_are_stored_as_browsers_spell_them() -> None:
    assert Settings(allowed_origins=tuple(ORIGINS)).allowed_origins == tuple(ORIGINS.values())


@pytest.mark.parametrize(
    "origin", ["*", "null", "", "app.example.org", "https://*.example.org", "https://a/", "https://me@a", "ws://a"]
)
def test_what_is_no_exact_origin_is_refused(origin: str) -> None:
    write({"AllowedOrigins": [origin]})

    (line,) = complaints()

    assert line.startswith("AllowedOrigins in appsettings.json, entry 1: must be an origin without a path")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///ostiary",
        "postgresql://host/ostiary",
        "postgresql://ann:p%40ss@[::1]:5433/ostiary?sslmode=require",
        "postgresql://ann@one:5432,two:5433/ostiary",
        "postgresql://?host=/run/postgresql&database=ostiary",
    ],
)
def test_the_forms_of_a_postgresql_url_are_taken_as_they_are(url: str) -> None:
    assert Settings(database_url=url).database_url == url
    assert Settings(database_url=url.replace("postgresql:", "POSTGRES:")).database_url == url


def test_an_absolute_sqlite_path_has_four_slashes() -> None:
    assert Settings(database_url="sqlite:////srv/a b.db").sqlite_path == Path("/srv/a b.db")


@given(st.text().map("§{}".format))
def test_an_error_never_contains_the_password_of_a_url(password: str) -> None:
    try:
        written = quote(password, safe="")
    except UnicodeEncodeError:
        return
    settings = Settings(database_url=f"postgresql://ann:{written}@host/d?sslp%61ssword={written}&user=ann")

    assert settings.redacted_database_url == "postgresql://ann:(hidden)@host/d?sslp%61ssword=(hidden)&user=ann"
    assert written not in repr(settings)


def test_every_setting_is_described_with_its_source_and_no_secret_is(monkeypatch: pytest.MonkeyPatch) -> None:
    write({"Secret": LONG + HUSH, "DefaultAdmin": {"Password": HUSH}, "RevokedTokens": [f"a.b.{HUSH}"]})
    monkeypatch.setenv("OSTIARY_DATABASE_URL", f"postgres://u:{HUSH}@h/d")
    settings = Settings.read()

    described = settings.describe()

    leaves = [
        key(where)
        for where in FIELDS
        if key(where) not in ("DefaultAdmin", "PasswordPolicy", "Limits", "RequestLimits", "Throttle")
    ]
    assert list(described) == leaves
    assert described["DatabaseUrl"][:2] == ("postgresql://u:(hidden)@h/d", "OSTIARY_DATABASE_URL")
    assert described["Secret"][:2] == ("(hidden)", "appsettings.json")
    assert described["RevokedTokens"].value == described["DefaultAdmin.Password"].value == "(hidden)"
    assert described["DefaultAdmin.UserName"][:2] == ("admin", "default")
    assert described["PasswordPolicy.MinLength"].variable == "OSTIARY_PASSWORD_POLICY__MIN_LENGTH"
    assert all(len(entry.description) > 20 for entry in described.values())
    assert HUSH not in f"{described} {settings!r} {settings}"


def test_a_missing_policy_is_described_as_null() -> None:
    described = Settings(password_policy=None).describe()

    assert described["PasswordPolicy"].value == "null"
    assert not any(name.startswith("PasswordPolicy.") for name in described)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().hashing_threads = 3  # type: ignore[misc]  # the claim is that this cannot be done


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost"])
def test_the_default_password_is_good_on_a_loopback_address(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 - nothing binds to it
        "::",
        "",
        "*",
        "128.0.0.1",
        "192.0.2.7",
        "::ffff:127.0.0.1",
        "localhost.example.org",
    ],
)
def test_elsewhere_the_default_password_stops_the_start_and_the_message_helps(host: str) -> None:
    assert not is_loopback(host)
    check_exposure(Settings(), f"--host {host}", False)
    with pytest.raises(SettingsError, match=r"OSTIARY_DEFAULT_ADMIN__PASSWORD") as caught:
        check_exposure(Settings(), f"--host {host}", True)
    assert "sign in and change it" in str(caught.value)
