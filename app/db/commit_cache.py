"""What was read and still holds: all is forgotten as soon as somebody commits, whoever and in whatever process."""

from typing import Any, Generic, TypeVar

from app.db.interface import Database

K = TypeVar("K")
V = TypeVar("V")


class CommitScopedCache(Generic[K, V]):
    """Values by key, for each database apart; `most` at once."""

    def __init__(self, most: int) -> None:
        self.most = most

    async def get(self, database: Database) -> dict[K, V]:
        """What holds now. What is read after this may be put there: it is at least as new as the version is."""
        return self._at(database, await database.commit_version())

    def get_cached(self, database: Database) -> dict[K, V] | None:
        """The same where nobody has to wait for it, else None."""
        version = database.cached_commit_version()
        return None if version is None else self._at(database, version)

    def _at(self, database: Database, version: Any) -> dict[K, V]:
        found: tuple[Any, dict[K, V]] | None = database.kept.get(self)
        if found is not None and found[0] == version and len(found[1]) <= self.most:
            return found[1]
        database.kept[self] = version, (fresh := dict[K, V]())
        return fresh
