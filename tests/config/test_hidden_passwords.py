"""Claims about passwords in database URLs: no part is shown, encoded or not, and unclear URLs are refused."""

from itertools import product
from urllib.parse import quote

import pytest

from app.config import Settings
from app.config.postgres_url import redact
from app.domain.errors import SettingsError

SIGNS = "@/?#: %&=[]"
PASSWORDS = [f"geheim{''.join(signs)}wort{end}" for signs in product(SIGNS, SIGNS) for end in ("", "/99", "1@x")]
TAIL = "127.0.0.1:5481/o2?sslmode=prefer"


RAW = ["Geheim@Wort/99", "a/b", "12/a", "12?b=", "12/x?b=", "a@b", "a:b@c", "12?", "12?b=&c="]


def _shown(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is shown of a URL: its display, or the error."""
    monkeypatch.setenv("OSTIARY_DATABASE_URL", url)
    try:
        return Settings.read().describe()["DatabaseUrl"].value
    except SettingsError as error:
        return str(error)


@pytest.mark.parametrize("password", RAW)
def test_a_raw_password_is_refused_or_hidden(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(f"postgresql://osti:{password}@{TAIL}&dbname=d", monkeypatch)

    assert "percent-encode" in shown or shown == f"postgresql://osti:(hidden)@{TAIL}&dbname=d"
    assert password not in shown


def test_no_raw_password_is_shown_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for password in PASSWORDS:
        shown = _shown(f"postgresql://osti:{password}@{TAIL}", monkeypatch)
        assert "geheim" not in shown, password
        assert "wort" not in shown, password


def test_an_encoded_password_is_accepted_and_hidden() -> None:
    for password in PASSWORDS:
        settings = Settings(database_url=f"postgresql://osti:{quote(password, safe='')}@{TAIL}")
        assert settings.redacted_database_url == f"postgresql://osti:(hidden)@{TAIL}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://osti:Geheim@Wort/99@h:5481/o2", "postgresql://osti:(hidden)@h:5481/o2"),
        ("postgresql://u:p@a,b:5433/d?user=me@there", "postgresql://u:(hidden)@a,b:5433/d?user=me@there"),
        (
            "postgresql://h:5432/d?password=x&sslpassword=y",
            "postgresql://h:5432/d?password=(hidden)&sslpassword=(hidden)",
        ),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql:///d", "postgresql:///d"),
    ],
)
def test_all_up_to_the_last_at_sign_is_hidden(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_the_advice_names_the_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", "postgresql://osti:Geheim@Wort/99@127.0.0.1:5481/o2")

    with pytest.raises(SettingsError, match="percent-encoded: %40 for @, %2F for a slash"):
        Settings.read()
