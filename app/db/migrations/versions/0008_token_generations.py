"""Give every user a random token generation, which ends all existing sessions."""

from alembic import op

revision = "0008"
down_revision = "0007"

# gen_random_uuid() is cryptographically secure, random() is not. The first 64 bits of a UUID have 60 random bits.
ON_POSTGRESQL = """
UPDATE users SET token_generation =
    ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint & 9223372036854775807
"""
ON_SQLITE = "UPDATE users SET token_generation = random() & 9223372036854775807"


def upgrade() -> None:
    """Widen the column to 64 bits, and set a random generation for each user."""
    if op.get_bind().dialect.name != "postgresql":
        op.execute(ON_SQLITE)
        return
    op.execute("ALTER TABLE users ALTER COLUMN token_generation TYPE bigint")
    op.execute(ON_POSTGRESQL)
