"""A substitute for the modules that the command line loads."""

from types import ModuleType, SimpleNamespace
from typing import Any

from app.config import Settings


class Root(ModuleType):
    """A substitute for `app.main` and `app.administration`."""

    def __init__(self) -> None:
        super().__init__("app.administration")
        self.seen: list[Settings] = []
        self.migrated: list[str] = []
        self.default_password_valid = False
        self.failure: Exception | None = None

    def prepare(self, settings: Settings, *, exposed: bool, serves: bool = False, migrates: bool = True) -> Any:
        self.seen.append(settings)
        if self.failure:
            raise self.failure
        return SimpleNamespace(
            default_password_valid=self.default_password_valid,
            demo_password_valid=False,
            migrated=self.migrated,
            first_password=None,
        )

    def sdl(self) -> str:
        return "type Query {\n  viewer: String\n}\n"
