"""Claims about URLs of PostgreSQL: those of managed providers and of libpq are read, and others are refused by name."""

import pytest

from app.config import Settings
from app.config.postgres_url import PostgresUrl, parse
from app.domain.errors import SettingsError

READ = {
    "postgresql:///d": PostgresUrl("postgresql:///d"),
    "postgresql://u:p%40@[::1]:5433/d?sslmode=require": PostgresUrl("postgresql://u:p%40@[::1]:5433/d?sslmode=require"),
    # as Neon, Aiven, Supabase, Azure, DigitalOcean and RDS write them
    "postgresql://u:p@ep.aws.neon.tech/d?sslmode=require&channel_binding=require": PostgresUrl(
        "postgresql://u:p@ep.aws.neon.tech/d?sslmode=verify-full", uses_system_roots=True
    ),
    "postgresql://u:p@pg.aivencloud.com:20985/d?sslmode=require": PostgresUrl(
        "postgresql://u:p@pg.aivencloud.com:20985/d?sslmode=require"
    ),
    "postgresql://u.ref:p@pooler.supabase.com:6543/d?connect_timeout=10": PostgresUrl(
        "postgresql://u.ref:p@pooler.supabase.com:6543/d", 10.0
    ),
    "postgresql://u@h/d?sslmode=verify-full&sslrootcert=/etc/ca.pem": PostgresUrl(
        "postgresql://u@h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"
    ),
    "postgresql://u@h/d?sslmode=require&sslrootcert=/ca.pem&channel_binding=require": PostgresUrl(
        "postgresql://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem"
    ),
    "postgresql://u@h/d?sslrootcert=system&sslcert=c.pem&sslkey=k.pem": PostgresUrl(
        "postgresql://u@h/d?sslcert=c.pem&sslkey=k.pem&sslmode=verify-full",
        uses_system_roots=True,
        client_certificate=("c.pem", "k.pem"),
    ),
    # several hosts
    "postgresql://u:p@a,b:5433/d": PostgresUrl("postgresql://u:p@a,b:5433/d", has_several_hosts=True),
    "postgresql://a,b/d?target_session_attrs=read-write&port=1,2": PostgresUrl(
        "postgresql://a,b/d?target_session_attrs=read-write&port=1%2C2", has_several_hosts=True, has_target=True
    ),
    "postgresql://?host=a,b&dbname=d": PostgresUrl("postgresql://?host=a%2Cb&dbname=d", has_several_hosts=True),
    # words without effect here, and blank ones
    "postgresql://h/d?keepalives=1&keepalives_idle=30&tcp_user_timeout=9&gssencmode=prefer&sslmode=": PostgresUrl(
        "postgresql://h/d"
    ),
    "postgresql://h/d?connect_timeout=0&application_name=mine": PostgresUrl(
        "postgresql://h/d?application_name=mine", application_name="mine"
    ),
    "postgresql://h/d?connect_timeout=1&options=-c%20search_path%3Dx": PostgresUrl(
        "postgresql://h/d?options=-c%20search_path%3Dx", 2.0
    ),
}

REFUSED = {
    "h/d?sslmode=on": "has the parameter `sslmode`, which must be one of: disable, allow, prefer, require,",
    "h/d?sslmode=require&sslrootcert=system": "sslrootcert=system, which needs sslmode=verify-full",
    "h/d?sslmode=disable&channel_binding=require": "channel_binding=require, which needs another `sslmode`",
    "h/d?gssencmode=require": "has the parameter `gssencmode`, which must be one of: disable, prefer",
    "h/d?require_auth=scram-sha-256": "has the parameter `require_auth`, which is not supported",
    "h/d?target_session_attrs=standby": "which must be one of: any, read-write, primary",
    "h/d?connect_timeout=1s": "must be a whole number of seconds",
    "h/d?sslmode": "in the form name=value",
    "a,b:x/d": "is not a URL",
    "a,b:70000/d": "is not a URL",
    "a,,b/d": "is not a URL",
    "a,b/d?port=1,2,3": "one `port`, or one for each host",
    "h/d?port=x": "a number from 1 to 65535 as `port`",
    "a,b": "must name a database",
}


@pytest.mark.parametrize("url", READ)
def test_a_url_of_libpq_is_read(url: str) -> None:
    assert parse(url) == READ[url]
    assert Settings(database_url=url).database_url == url, "pg_dump reads it too"


@pytest.mark.parametrize("rest", REFUSED)
def test_what_cannot_be_kept_is_refused_without_a_secret(rest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", f"postgresql://u:sesame@{rest}")

    with pytest.raises(SettingsError, match="OSTIARY_DATABASE_URL") as refused:
        Settings.read()

    assert REFUSED[rest] in str(refused.value)
    assert "sesame" not in str(refused.value)
