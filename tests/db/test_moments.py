"""Claims about the text form of moments."""

from datetime import UTC, datetime, timedelta, timezone

from app.db.types import format_instant

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_moment_is_written_in_utc_with_six_digits_of_the_second() -> None:
    assert format_instant(NOON) == "2026-01-31T12:00:00.000000Z"
    assert format_instant(NOON.replace(microsecond=50)) == "2026-01-31T12:00:00.000050Z"
    assert format_instant(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "2026-01-31T12:00:00.000000Z"
    assert format_instant(NOON.replace(year=988)) == "0988-01-31T12:00:00.000000Z"
    assert format_instant(NOON, timespec="auto") == "2026-01-31T12:00:00Z"
    assert format_instant(NOON.replace(microsecond=50), timespec="auto") == "2026-01-31T12:00:00.000050Z"
    assert format_instant(None) is None


def test_the_text_sorts_as_time_does() -> None:
    moments = [NOON + timedelta(microseconds=step) for step in (-1, 0, 1, 999_999, 1_000_000)]

    assert sorted(map(format_instant, moments)) == [format_instant(moment) for moment in moments]
