"""Claims about the setting of read replicas: each is one PostgreSQL server beside a PostgreSQL primary."""

import json

import pytest

from app.config import Settings
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
