"""Give every user a random token generation, so that no token from before can fit: all sessions end."""

from alembic import op

revision = "0008"
down_revision = "0007"

# gen_random_uuid() is made for keys, random() is not; of the first 64 bits of a version 4 UUID 60 are random.
ON_POSTGRESQL = """
UPDATE users SET token_generation =
    ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint & 9223372036854775807
"""
ON_SQLITE = "UPDATE users SET token_generation = random() & 9223372036854775807"


def upgrade() -> None:
    """Widen the column where it holds 32 bits, and draw a generation for each user."""
    if op.get_bind().dialect.name != "postgresql":
        op.execute(ON_SQLITE)
        return
    op.execute("ALTER TABLE users ALTER COLUMN token_generation TYPE bigint")
    op.execute(ON_POSTGRESQL)
