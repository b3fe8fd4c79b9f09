"""Claims about the settings of traces: the address of a collector without secrets, and a share."""

import pytest

from app.config import Settings
from app.domain.errors import SettingsError


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("", None),
        (" ", None),
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("https://collector.example/", "https://collector.example/v1/traces"),
        ("http://[::1]:4318/otlp/v1/traces", "http://[::1]:4318/otlp/v1/traces"),
    ],
)
def test_the_path_of_otlp_is_added_to_an_address_without_one(
    monkeypatch: pytest.MonkeyPatch, sent: str, expected: str | None
) -> None:
    monkeypatch.setenv("OSTIARY_TRACES_ENDPOINT", sent)

    assert Settings.read().traces_endpoint == expected


@pytest.mark.parametrize(
    ("variable", "sent", "what"),
    [
        ("OSTIARY_TRACES_ENDPOINT", "127.0.0.1:4318", "must be a URL that begins with http:// or https://"),
        ("OSTIARY_TRACES_ENDPOINT", "http://name:hush@collector:4318", "must not contain credentials"),
        ("OSTIARY_TRACES_ENDPOINT", "http://collector:4318/v1/traces?key=hush", "must not contain a query"),
        ("OSTIARY_TRACES_ENDPOINT", "http://hush..b:4318", "must name a host whose parts"),
        ("OSTIARY_TRACES_ENDPOINT", f"http://{'hush' * 16}:4318", "must name a host whose parts"),
        ("OSTIARY_TRACES_ENDPOINT", "http://collector:4318/hush/é", "must be in ASCII"),
        ("OSTIARY_TRACES_RATIO", "1.5", "must be a number from 0 to 1. "),
        ("OSTIARY_TRACES_RATIO", "-0.1", "must be a number from 0 to 1. "),
        ("OSTIARY_TRACES_RATIO", "nan", "must be"),
        ("OSTIARY_TRACES_RATIO", "some", "must be a number from 0 to 1. "),
    ],
)
def test_an_error_names_the_setting_and_never_shows_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, sent: str, what: str
) -> None:
    monkeypatch.setenv(variable, sent)

    with pytest.raises(SettingsError) as caught:
        Settings.read()

    assert str(caught.value).startswith(f"{variable}: {what}")
    assert "hush" not in str(caught.value)


def test_a_truth_value_is_no_share() -> None:
    with pytest.raises(ValueError, match="must be a number"):
        Settings(traces_ratio=True)
