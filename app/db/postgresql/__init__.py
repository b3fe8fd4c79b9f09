"""PostgreSQL through asyncpg, with its own connection pool."""
