"""Hostile documents: each is refused with its line, in little time, and by no crash of the process."""

import io

import pytest

from app import db
from app.services.state import files
from app.services.state.files import Format
from app.services.state.model import PERMISSION_BITS, SECTIONS
from tests.services.state.documents import BASE, applied, exported

HEADER = b'{"kind": "registry", "version": 1}\n'
_BOMB = b"\n".join(b"  k%d: &k%d [%s]" % (at, at, b",".join([b"*k%d" % (at - 1)] * 9)) for at in range(1, 12))

YAML = {
    "more levels than the stack has": (b"version: 1\nusers: " + b"[" * 200_000, "line 2: the document has too many"),
    "objects in objects": (b"version: 1\nusers: " + b"{a: " * 9_000 + b"1" + b"}" * 9_000, "too many levels"),
    "aliases of aliases": (
        b"version: 1\nx:\n  k0: &k0 [1]\n" + _BOMB,
        "line 8: the aliases stand for more than 100,000",
    ),
    "an alias inside of its anchor": (b"version: 1\nusers: &a [*a]\n", "line 2: the alias `a` is inside of its own"),
    "an alias without an anchor": (b"version: 1\nusers: [*a]\n", "line 2: the alias `a` has no anchor"),
    "a number of 5,000 digits": (b"version: 1\nn: " + b"9" * 5_000, "line 2: `99999999999999999999` is no number"),
    "the tag of a Python object": (b"version: 1\nusers: !!python/object:os.system [x]\n", "line 2: the tag"),
    "a tag whose value is another type": (b"version: 1\nn: !!int x\n", "line 2: `x` is no number"),
    "two documents": (b"version: 1\n---\nversion: 1\n", "line 2: a file has one document"),
    "a name that is a list": (b"version: 1\n? [a]\n: b\n", "line 2: a name must be a text."),
    "another version": (b"users: []\nversion: 7\n", "line 2: version: `version` must be 1, not 7."),
    "the version as a text": (b'version: "1"\n', 'line 1: version: `version` must be 1, not "1".'),
    "a long version": (b"version: " + b"x" * 9_000, f"`version` must be 1, not {'x' * 40}."),
    "a section that does not exist": (b"version: 1\nteams: []\n", "line 2: teams: There is no section `teams`."),
    "a document that is a text": (b"# corals\ncorals\n", "line 2: The document must be an object"),
    "an empty file": (b"", "The document must be an object"),
    "bytes that are no text": (b"version: 1\nusers: [{userName: \xe9}]\n", "This is no text in UTF-8, near byte 31."),
    "a file of a program": (b"\x1f\x8b\x08", "This is n"),
    "a control character": (b"version: 1\x07", "control characters are not allowed, at character 11."),
}

JSON_LINES = {
    "another version": (b'{"kind": "registry", "version": 7}\n', "line 1: version: `version` must be 1, not 7."),
    "a kind that is a list": (HEADER + b'{"kind": []}\n', "line 2: kind: `kind` must be one of"),
    "a name that is listed twice": (HEADER + b'{"kind": "user", "kind": "org"}\n', "line 2: `kind` is listed twice."),
    "a name twice inside": (HEADER + b'{"a": [{"b": 1, "b": 2}]}\n', "line 2: `b` is listed twice."),
    "more levels than the stack has": (HEADER + b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "line 2: this is not JSON"),
    "levels near the limit": (HEADER + b'{"a":' * 1_010 + b"1" + b"}" * 1_010, "line 2: "),
    "a number of 5,000 digits": (HEADER + b'{"a": %s}\n' % (b"9" * 5_000), "line 2: "),
    "no number": (HEADER + b'{"a": NaN}\n', "line 2: this is not JSON"),
    "half a pair of surrogates": (HEADER + b'{"kind": "user", "userName": "\\ud800"}\n', "line 2: this is not JSON"),
}


@pytest.mark.parametrize("case", YAML)
def test_a_hostile_yaml_document_is_refused_with_its_line(case: str) -> None:
    text, expected = YAML[case]
    assert expected in str(files.read(io.BytesIO(text), Format.YAML).faults[0])


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", ["3", "corals", "{a: 1}", "[3]"])
def test_a_section_with_a_wrong_value_is_refused_with_its_line(section: str, value: str) -> None:
    (fault, *_) = files.read(io.BytesIO(f"version: 1\n\n{section}: {value}\n".encode()), Format.YAML).faults
    assert str(fault).startswith(f"line 3: {section}")


@pytest.mark.parametrize("form", Format)
async def test_an_export_that_is_cut_off_anywhere_is_no_smaller_document(own_db: db.Database, form: Format) -> None:
    await applied(own_db, BASE)
    text = (await exported(own_db, form)).encode()
    whole = files.read(io.BytesIO(text), form, must_have_end=True)
    assert whole.faults == []

    for length in range(len(text)):
        cut = files.read(io.BytesIO(text[:length]), form)
        assert cut.faults or not cut.state.complete or cut.state == whole.state, text[:length]
        cut = files.read(io.BytesIO(text[:length]), form, must_have_end=True)
        assert cut.faults or cut.state == whole.state, text[:length]


@pytest.mark.parametrize("case", JSON_LINES)
def test_a_hostile_document_of_lines_is_refused_with_its_line(case: str) -> None:
    text, expected = JSON_LINES[case]
    assert str(files.read(io.BytesIO(text), Format.JSONL).faults[0]).startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfversion: 1\r\nusers:\r\n- userName: ann\r\n- {userName: bob, roles: [user]}\r\n",
        b"version: 1\nusers: [{userName: ann}, {userName: bob, roles: &r [user]}]\n",
        "version: 1\nusers: [{userName: ann}, {userName: !!str bob, roles: !!seq [user]}]\n".encode("utf-16"),
        b'{"version": 1, "users": [{"userName": "ann"}, {"userName": "bob", "roles": ["user"]}]}',
    ],
)
def test_the_ways_in_which_editors_write_a_file_are_one_document(text: bytes) -> None:
    reader = files.read(io.BytesIO(text), Format.YAML)

    assert reader.faults == []
    assert {key[0]: item.values for (_, key), item in reader.state.items.items()} == {
        "ann": {"userName": "ann"},
        "bob": {"userName": "bob", "roles": ["user"]},
    }


def test_lines_may_begin_with_a_mark_and_end_as_on_windows() -> None:
    text = b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b'{"kind": "user", "userName": "ann"}\r\n'
    reader = files.read(io.BytesIO(text), Format.JSONL)

    assert reader.faults == []
    assert len(reader.state.items) == 1


def test_an_alias_stands_for_its_value() -> None:
    text = b"version: 1\nroles: [{name: a, permissions: &p [USERS_VIEW]}, {name: b, permissions: *p}]\n"
    reader = files.read(io.BytesIO(text), Format.YAML)

    assert reader.faults == []
    assert {item.values["permissions"] for item in reader.state.items.values()} == {PERMISSION_BITS["USERS_VIEW"]}
