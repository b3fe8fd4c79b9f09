"""The software bill of materials has every package of the locks, and only those."""

import json
import re
from pathlib import Path

import pytest

from scripts import bill_of_materials
from scripts.bill_of_materials import bill, npm_components, python_components

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
NPM_LOCK = json.loads((ROOT / "app/console/package-lock.json").read_text())


def test_every_locked_package_of_python_is_in_it() -> None:
    locked = re.findall(r"^(\S+)==([^\s;\\]+)", LOCK, re.MULTILINE)

    assert [(each["name"], each["version"]) for each in python_components(LOCK)] == locked
    assert len(locked) > 20


def test_the_packages_of_the_console_are_in_it_and_the_tools_of_developers_are_not() -> None:
    packages = NPM_LOCK["packages"]
    names = {each["name"] for each in npm_components(NPM_LOCK)}
    tools = {name for name in packages[""]["devDependencies"] if packages[f"node_modules/{name}"].get("dev")}

    assert set(packages[""]["dependencies"]) <= names
    assert "eslint" in tools
    assert not tools & names


def test_a_package_has_its_address_its_checksum_and_its_condition() -> None:
    packages = {
        "": {},
        "node_modules/a/node_modules/@scope/b": {"version": "1.0.0", "integrity": "sha512-AAE=", "license": "MIT"},
        "node_modules/c": {"version": "2.0.0", "dev": True},
    }
    (npm,) = npm_components({"packages": packages})
    (pypi,) = python_components("Some_Package==1.2 ; sys_platform != 'win32' \\\n    --hash=sha256:00\n    # via x\n")

    assert (npm["name"], npm["purl"]) == ("@scope/b", "pkg:npm/%40scope/b@1.0.0")
    assert npm["hashes"] == [{"alg": "SHA-512", "content": "0001"}]
    assert npm["licenses"] == [{"expression": "MIT"}]
    assert pypi["purl"] == "pkg:pypi/some-package@1.2"
    assert pypi["properties"] == [{"name": "ostiary:environment", "value": "sys_platform != 'win32'"}]


def test_equal_locks_give_equal_documents_and_other_locks_another_number(capsys: pytest.CaptureFixture[str]) -> None:
    bill_of_materials.main()
    printed = json.loads(capsys.readouterr().out)
    components = [*python_components(LOCK), *npm_components(NPM_LOCK)]
    version = printed["metadata"]["component"]["version"]

    assert printed == bill(version, reversed(components))
    assert printed["serialNumber"] != bill(version, components[1:])["serialNumber"]
    references = [each["bom-ref"] for each in printed["components"]]
    assert len(references) == len(set(references))
