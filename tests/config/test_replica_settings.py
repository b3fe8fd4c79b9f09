"""Claims about the setting of read replicas: each is one PostgreSQL server beside a PostgreSQL primary."""

import json

import pytest

from app.config import Settings
from app.config.postgres_url import server_name
from app.domain.errors import SettingsError

HUSH = "geheimnis"
PRIMARY = "postgresql://h/d"


@pytest.mark.parametrize(
    ("database", "replica", "what"),
    [
        ("sqlite:///data/o.db", f"postgresql://u:{HUSH}@h/d", "needs PostgreSQL"),
        (PRIMARY, f"sqlite:///{HUSH}.db", "must begin with postgresql://"),
        (PRIMARY, f"postgresql://u:{HUSH}@h,g/d", "must name one host"),
        (PRIMARY, f"postgresql://u:{HUSH}@h/d?target_session_attrs=any", "without target_session_attrs"),
        (PRIMARY, f"postgresql://u:{HUSH}@h", "must name a database"),
        (PRIMARY, f"postgresql://u:1234/{HUSH}@h/d", "percent-encode"),
    ],
)
def test_what_is_no_replica_is_refused(monkeypatch: pytest.MonkeyPatch, database: str, replica: str, what: str) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", database)
    monkeypatch.setenv("OSTIARY_DATABASE_REPLICAS", json.dumps([replica]))
    with pytest.raises(SettingsError, match=what) as caught:
        Settings.read()
    assert HUSH not in str(caught.value)


def test_replicas_are_read_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    replicas = (f"postgresql://u:{HUSH}@h/d", "postgresql://i/d")
    monkeypatch.setenv("OSTIARY_DATABASE_URL", PRIMARY)
    monkeypatch.setenv("OSTIARY_DATABASE_REPLICAS", json.dumps(replicas))
    settings = Settings.read()
    assert settings.database_replicas == replicas
    assert HUSH not in repr(settings) + repr(settings.describe())


@pytest.mark.parametrize("second", ["h", "H", "h:5432", "v:w@h"])
def test_a_server_is_named_once(monkeypatch: pytest.MonkeyPatch, second: str) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", PRIMARY)
    monkeypatch.setenv(
        "OSTIARY_DATABASE_REPLICAS", json.dumps([f"postgresql://u:{HUSH}@h/d", f"postgresql://{second}/d"])
    )
    with pytest.raises(SettingsError, match="must name each server once") as caught:
        Settings.read()
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://u:1234@h/d", "h"),
        ("postgresql://u:1234@h:7/d", "h:7"),
        ("postgresql://u:12@34@[::1]:7/d", "[::1]:7"),
        ("postgresql://u:1234@/d?host=/run/pg&port=7", "/run/pg:7"),
        ("postgresql://u:1234/5@h/x", "unknown"),
    ],
)
def test_the_name_of_a_server_has_nothing_of_its_user_and_password(url: str, name: str) -> None:
    assert server_name(url) == name
