"""The checks: for each its name, what it shows, and the commands that it runs."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import node

TOOLS = ".clients"
NODE = (22, 15)
"""The oldest version of Node.js that all tools support; scripts/clients has it too."""

Command = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of the tools, and the address of the server."""

    tools: Path
    address: str

    @property
    def python(self) -> Path:
        """Return the interpreter of the tools."""
        return self.tools / "venv" / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables of every command."""
        variables = node.environment(NODE)
        path = os.pathsep.join((str(self.tools / "venv" / "bin"), variables["PATH"]))
        return variables | {
            "PATH": path,
            "ADDRESS": self.address,
            "USER_NAME": "admin",
            "PASSWORD": "password",
            "NODE_NO_WARNINGS": "1",
        }

    def tool(self, name: str) -> Path:
        """Return a program that npm installed."""
        return self.tools / "js" / "node_modules" / ".bin" / name


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `shows` is what a success means; the commands run in `folder` below the tools."""

    name: str
    shows: str
    commands: Callable[[Place], Iterator[Command]]
    folder: str = "js"


def _codegen(place: Place) -> Iterator[Command]:
    yield place.tool("graphql-codegen"), "--config", "codegen/config.json"
    yield place.tool("tsc"), "--project", "tsconfig.json"


def _tada(place: Place) -> Iterator[Command]:
    yield place.tool("gql.tada"), "generate-output", "--tsconfig", "tada/tsconfig.json"
    yield place.tool("gql.tada"), "check", "--tsconfig", "tada/tsconfig.json"
    yield place.tool("tsc"), "--project", "tada/tsconfig.json"


def _relay(place: Place) -> Iterator[Command]:
    (place.tools / "js" / "out" / "relay").mkdir(exist_ok=True)
    yield place.tool("relay-compiler"), "relay.config.json"
    yield "node", "relay/cache.mjs"


def _node(script: str) -> Callable[[Place], Iterator[Command]]:
    return lambda place: iter([("node", script)])


def _python(script: str) -> Callable[[Place], Iterator[Command]]:
    return lambda place: iter([(place.python, script)])


def _ariadne(place: Place) -> Iterator[Command]:
    yield "ariadne-codegen", "--config", "ariadne.toml"
    yield place.python, "use_ariadne.py"


def _sgqlc(place: Place) -> Iterator[Command]:
    yield place.python, "introspect.py", "out/introspection.json"
    yield "sgqlc-codegen", "schema", "out/introspection.json", "out/registry_schema.py"
    yield place.python, "use_sgqlc.py"


_STRICT = (
    *("--strict", "--noEmit", "--skipLibCheck", "--target", "es2022"),
    *("--module", "esnext", "--moduleResolution", "bundler"),
)
"""Options of tsc for files without a project."""


def _openapi_typescript(place: Place) -> Iterator[Command]:
    yield place.tool("openapi-typescript"), "openapi.json", "--output", "out/openapi/types.ts"
    yield place.tool("tsc"), *_STRICT, "openapi/usage.ts"


def _generated(generator: str, *uses: Callable[[Place], Command]) -> Callable[[Place], Iterator[Command]]:
    """Generate a client from the OpenAPI description, and then run the commands that use it."""

    def commands(place: Place) -> Iterator[Command]:
        yield (
            "openapi-generator-cli",
            "generate",
            "--generator-name",
            generator,
            "--input-spec",
            "openapi.json",
            "--output",
            f"out/{generator}",
            "--global-property",
            "apiTests=false,modelTests=false",
        )
        yield from (use(place) for use in uses)

    return commands


CHECKS = (
    Check("graphql-codegen", "operations are typed; tsc --strict accepts them", _codegen),
    Check("gql.tada", "operations are typed without files of their own", _tada),
    Check("relay", "Relay compiles; its cache equals the server after tried and real changes", _relay),
    Check("apollo", "Apollo Client pages, changes and reads errors", _node("live/apollo.mjs")),
    Check("urql", "urql's normalized cache knows all types", _node("live/urql.mjs")),
    Check("gql", "gql validates against the schema and queries", _python("use_gql.py"), "python"),
    Check("ariadne-codegen", "a typed Python client is generated and queries", _ariadne, "python"),
    Check("sgqlc", "Python types are generated and query", _sgqlc, "python"),
    Check("federation-apollo", "Apollo composes it as a subgraph", _node("federation/apollo.mjs")),
    Check("federation-guild", "The Guild's library composes it as a subgraph", _node("federation/guild.mjs")),
    Check("openapi-typescript", "REST paths are typed; tsc --strict accepts a use", _openapi_typescript),
    Check(
        "openapi-python",
        "a Python REST client is generated and queries",
        _generated("python", lambda place: (place.python, "use_openapi_python.py")),
        "python",
    ),
    Check(
        "openapi-typescript-fetch",
        "a TypeScript REST client is generated; tsc --strict accepts it",
        _generated("typescript-fetch", lambda place: (place.tool("tsc"), *_STRICT, "out/typescript-fetch/index.ts")),
        "python",
    ),
    Check("openapi-go", "a Go REST client is generated", _generated("go"), "python"),
    Check("openapi-java", "a Java REST client is generated", _generated("java"), "python"),
    Check("openapi-csharp", "a C# REST client is generated", _generated("csharp"), "python"),
)
