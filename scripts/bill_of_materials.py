"""The software bill of materials, in the JSON of CycloneDX 1.5, made from the locks alone.

It contains the Python packages of requirements.lock, also the few that only build the package, and the npm packages of
which the web console is made. Tools of developers are left out.
"""

import base64
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?: *; *(?P<marker>[^\\]*?))? *\\?$")
NAMESPACE = uuid.UUID("5b6f3a0e-4a0b-4d8f-9a3b-0d2a5b0c7e11")
"""Namespace of the serial numbers, which depend on the content."""

Component = dict[str, Any]


def python_components(lock: str) -> Iterator[Component]:
    """Yield a component for each package of a lock of pip. An environment marker becomes a property."""
    for line in lock.splitlines():
        if (match := REQUIREMENT.match(line)) is None:
            continue
        name, version = match["name"], match["version"]
        component = _component(name, version, f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}")
        if match["marker"]:
            component["properties"] = [{"name": "ostiary:environment", "value": match["marker"]}]
        yield component


def npm_components(lock: Mapping[str, Any]) -> Iterator[Component]:
    """Yield a component for each package of a lock of npm that is not for development only, with its checksum."""
    packages: Mapping[str, Mapping[str, Any]] = lock["packages"]
    for path, package in packages.items():
        if not path or package.get("dev") or package.get("devOptional"):
            continue
        name, version = path.rpartition("node_modules/")[2], package["version"]
        component = _component(name, version, f"pkg:npm/{quote(name)}@{version}")
        algorithm, _, digest = package.get("integrity", "").partition("-")
        if algorithm == "sha512":
            component["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
        if isinstance(package.get("license"), str):
            component["licenses"] = [{"expression": package["license"]}]
        yield component


def bill(version: str, components: Iterable[Component]) -> dict[str, Any]:
    """Return the document for this version of Ostiary. Its serial number follows from its content."""
    by_reference = {component["bom-ref"]: component for component in components}
    sorted_components = [by_reference[reference] for reference in sorted(by_reference)]
    content = json.dumps([version, sorted_components])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "ostiary", "name": "ostiary", "version": version}},
        "components": sorted_components,
    }


def _component(name: str, version: str, url: str) -> Component:
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _project_version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if "version" in project:
        return str(project["version"])
    (version,) = re.findall(r'^__version__ = "([^"]+)"$', (ROOT / "app/__init__.py").read_text(), re.MULTILINE)
    return str(version)


def main() -> None:
    """Print the document made from the locks of this repository."""
    python = python_components((ROOT / "requirements.lock").read_text())
    npm = npm_components(json.loads((ROOT / "app/console/package-lock.json").read_text()))
    json.dump(bill(_project_version(), [*python, *npm]), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
