"""Files of mysqldump: every form of a literal and of a statement, and files that are damaged or no dump."""

from pathlib import Path

import pytest

from app.db import mysql_dump
from app.db.mysql_dump import read_tables
from app.db.other_sqlite import Columns, UnreadableFile

USERS = {"AspNetUsers": Columns(("Id", "UserName"), ("Email", "LockoutEnabled"))}
CREATE = "CREATE TABLE `AspNetUsers` (`Id` varchar(255) NOT NULL, `UserName` longtext, PRIMARY KEY (`Id`));\n"
WIDE = "CREATE TABLE AspNetUsers (Id binary(16), UserName longtext, LockoutEnabled bit(1) DEFAULT b'1');\n"


def rows(tmp_path: Path, text: str | bytes) -> list[tuple[object, ...]]:
    """Return the ids and names of the users of a dump."""
    path = tmp_path / "dump.sql"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(row["Id"], row["UserName"]) for row in read_tables(path, USERS)["AspNetUsers"]]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("NULL", None),
        ("''", ""),
        ("'it''s'", "it's"),
        (r"'it\'s'", "it's"),
        (r"'\\'", "\\"),
        (r"'a\\\'b\"c'", "a\\'b\"c"),
        (r"'\n\r\t\b\Z\0\q\%\_'", "\n\r\t\b\x1a\0q\\%\\_"),
        ("""'{"a": ""}'""", '{"a": ""}'),
        ('"it\'s ""so"""', 'it\'s "so"'),
        ("'line\nbreak; -- no # comment /* here */ ,(1),'", "line\nbreak; -- no # comment /* here */ ,(1),"),
        ("0x416E6E", "Ann"),
        ("X'416e6e'", "Ann"),
        ("x''", ""),
        ("_binary 'Ann'", "Ann"),
        ("_utf8mb4'\u00c5nn'", "\u00c5nn"),
        ("N'Ann'", "Ann"),
        ("b'101'", 5),
        ("0b101", 5),
        ("-12", -12),
        ("1.5e3", 1500.0),
        ("TRUE", 1),
        ("/*!50100 'Ann' */", "Ann"),
        ("/* no */ 'Ann' -- no\n", "Ann"),
    ],
)
def test_a_literal_is_the_value_that_mysql_would_store(literal: str, value: object, tmp_path: Path) -> None:
    assert rows(tmp_path, f"{CREATE}INSERT INTO `AspNetUsers` VALUES ('1',{literal}),('2','b');") == [
        ("1", value),
        ("2", "b"),
    ]


@pytest.mark.parametrize("bit", ["b'1'", "0x01", "_binary '\x01'", r"'\1'", "'\x01'", "1"])
def test_bits_and_binary_ids_are_numbers_and_uuids(bit: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    bit = bit.replace(r"\1", "\x01")
    path.write_text(f"{WIDE}INSERT INTO AspNetUsers VALUES (0x{'0' * 31}7,'ann',{bit});")
    assert read_tables(path, USERS)["AspNetUsers"] == [
        {"Id": "00000000-0000-0000-0000-000000000007", "UserName": "ann", "Email": None, "LockoutEnabled": 1}
    ]


@pytest.mark.parametrize(
    "text",
    [
        CREATE + "INSERT INTO `AspNetUsers` VALUES ('1','ann');INSERT INTO `AspNetUsers` VALUES ('2','bob');",
        CREATE + "REPLACE AspNetUsers VALUE ('1','ann') , ('2','bob') ON DUPLICATE KEY UPDATE Id = 'x;';",
        CREATE + "insert ignore into aspnetusers (`username`,`id`) values ('ann','1'),('bob','2') as new;",
        "INSERT INTO AspNetUsers (Id, UserName) VALUES ('1','ann'),('2','bob');",
        "\ufeff# x\n--\nUSE `i`;" + CREATE + "INSERT INTO `i`.`AspNetUsers` VALUES ('1','ann'),('2','bob');",
        "/*M!999999\\- enable the sandbox mode */ \n"
        + CREATE
        + "INSERT INTO AspNetUsers VALUES ('1','ann'),('2','bob');",
        "INSERT INTO AspNetUsers (Id, UserName) VALUES ('0','gone');DROP TABLE AspNetUsers;"
        + CREATE
        + "INSERT INTO AspNetUsers VALUES ('1','ann'),('2','bob');",
        'CREATE TABLE "AspNetUsers" ("Id" int, "UserName" text, CONSTRAINT "c" CHECK (("Id" > 0) and (1, 2)));\n'
        "INSERT INTO \"AspNetUsers\" VALUES ('1','ann'),('2','bob');",
        "CREATE TABLE x LIKE AspNetUsers;DELETE FROM Log;LOAD DATA INFILE 'x' INTO TABLE Log;"
        + CREATE
        + "INSERT INTO Other VALUES ('a;b');INSERT INTO AspNetUsers VALUES ('1','ann'),('2','bob');;\n-- end",
    ],
)
def test_the_ways_in_which_tools_write_a_table_are_one(text: str, tmp_path: Path) -> None:
    text = text.replace('("Id" int', '("Id" varchar(9)')
    assert rows(tmp_path, text) == [("1", "ann"), ("2", "bob")]


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "it is empty"),
    "a text": ("slug,name", "line 1: the statement does not end"),
    "no such table": ("CREATE TABLE x (a int);", "it has no table AspNetUsers"),
    "no such column": ("CREATE TABLE AspNetUsers (Id int);", "its table AspNetUsers has no column UserName"),
    "no such column in an INSERT": ("INSERT INTO AspNetUsers (Id) VALUES (1);", "has no column UserName"),
    "the end of a row": (
        CREATE + "INSERT INTO AspNetUsers VALUES ('1','a'),('2'",
        "line 2: the statement does not end",
    ),
    "the end of a text": (CREATE + "INSERT INTO AspNetUsers VALUES ('1','a", "line 2: a quoted text does not end"),
    "the end of a file": ("-- MySQL dump 10.13\n" + CREATE, "it does not end with `-- Dump completed`"),
    "the end of the second of two dumps": (
        f"-- MySQL dump 10.13\n{CREATE}-- Dump completed on 1\n-- MariaDB dump 10.19\nCREATE TABLE x (a int);",
        "it does not end with `-- Dump completed`",
    ),
    "an end inside of a value": (
        f"-- MySQL dump 10.13\n{CREATE}INSERT INTO AspNetUsers VALUES ('1','\n-- Dump completed\n');",
        "it does not end with `-- Dump completed`",
    ),
    "a comment without an end": (f"{CREATE}/* INSERT INTO AspNetUsers VALUES ('1','a');", "a comment does not end"),
    "a missing comma": (CREATE + "INSERT INTO AspNetUsers VALUES ('1','a')('2','b');", "there is no comma between"),
    "a word after a row": (CREATE + "INSERT INTO AspNetUsers VALUES ('1','a') x;", "there is no comma between"),
    "a number of 5,000 digits": (CREATE + f"INSERT INTO AspNetUsers VALUES (1,{'1' * 5_000});", "is too long"),
    "bits of 5,000 digits": (CREATE + f"INSERT INTO AspNetUsers VALUES (1,0b{'1' * 5_000});", "is too long"),
    "character sets of nothing": (
        CREATE + f"INSERT INTO AspNetUsers VALUES (1,{'_utf8 ' * 5_000}'a');",
        "a character set of AspNetUsers has no text",
    ),
    "routines without an end": ("DELIMITER ;;\n" + CREATE, "line 1: the delimiter is never `;` again"),
    "a short row": (CREATE + "INSERT INTO AspNetUsers VALUES ('1');", "has 1 values for 2 columns"),
    "no names": ("INSERT INTO AspNetUsers VALUES (1, 2);", "names no columns, and no CREATE TABLE is before it"),
    "a function": (CREATE + "INSERT INTO AspNetUsers VALUES (uuid(), 'a');", "line 2: uuid is no literal"),
    "a sum": (CREATE + "INSERT INTO AspNetUsers VALUES ('1' + 1, 'a');", "line 2: a value is no literal"),
    "rows of a query": (CREATE + "INSERT INTO AspNetUsers SELECT * FROM x;", "line 2: INSERT INTO AspNetUsers has no"),
    "a change": (CREATE + "\nDELETE FROM AspNetUsers WHERE Id = 1;", "line 3: DELETE is not read"),
    "two databases": (f"USE a;{CREATE}USE b;{CREATE}", "is in two databases, a and b"),
    "Latin-1": ("/*!40101 SET NAMES latin1 */;" + CREATE, "line 1: the dump is in latin1"),
    "bytes": (CREATE.encode() + b"INSERT INTO AspNetUsers VALUES ('1','\xe9');", "UserName has no text in UTF-8"),
    "PowerShell": (CREATE.encode("utf-16"), "it is in UTF-16, as PowerShell writes it"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_dump_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    text, reason = REFUSED[name]
    with pytest.raises(UnreadableFile) as refused:
        rows(tmp_path, text)
    assert reason in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_the_rows_of_a_dump_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_dump, "MAX_ROWS", 2)
    with pytest.raises(UnreadableFile, match="its table AspNetUsers has more than 2 rows"):
        rows(tmp_path, CREATE + "INSERT INTO AspNetUsers VALUES (1,2),(2,3),(3,4);")


def test_a_table_that_is_skipped_may_have_longer_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_dump, "MAX_VALUE_BYTES", 100)
    wanted = CREATE + "INSERT INTO AspNetUsers VALUES ('1','{}');"
    assert rows(tmp_path, f"INSERT INTO Log VALUES ('{'x' * 300}');{wanted.format('a')}") == [("1", "a")]
    with pytest.raises(UnreadableFile, match="line 2: a value of AspNetUsers is too long"):
        rows(tmp_path, wanted.format("x" * 300))


@pytest.mark.parametrize("column", ["int", "bit(8)", "tinyint(1)"])
def test_a_text_of_thousands_of_digits_stays_a_text(column: str, tmp_path: Path) -> None:
    create, digits = CREATE.replace("longtext", column), "1" * 5_000
    assert rows(tmp_path, f"{create}INSERT INTO AspNetUsers VALUES (1,'{digits}');") == [(1, digits)]


def test_a_dump_without_comments_cannot_be_checked_which_is_told(tmp_path: Path) -> None:
    path, told = tmp_path / "dump.sql", list[str]()
    path.write_text(
        f"\ufeff-- MySQL dump 10\n{CREATE}DELIMITER ;\nINSERT INTO AspNetUsers VALUES (1,2);\n-- Dump completed"
    )
    assert len(read_tables(path, USERS, warn=told.append)["AspNetUsers"]) == 1, "`;` is the delimiter already"
    assert told == []
    path.write_text(CREATE)
    read_tables(path, USERS, warn=told.append)
    assert [text.partition(",")[0] for text in told] == ["has no comments of mysqldump"]


def test_a_cut_dump_is_never_read_as_a_whole_one(tmp_path: Path) -> None:
    text = CREATE + "INSERT INTO `AspNetUsers` VALUES ('1','a\\'n;n'),('2','b');\n"
    whole = rows(tmp_path, text)
    for size in range(len(CREATE) + 1, len(text) - 2):
        with pytest.raises(UnreadableFile):
            rows(tmp_path, text[:size])
    assert whole == [("1", "a'n;n"), ("2", "b")]


def test_a_dump_is_found_by_its_name_or_its_beginning(tmp_path: Path) -> None:
    contents = {
        "a.sql": b"",
        "b.txt": b"\xef\xbb\xbf-- MySQL dump",
        "c": b"/*M!999999\\- x */",
        "d.db": b"SQLite format 3\0",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert [mysql_dump.is_dump(tmp_path / name) for name in contents] == [True, True, True, False]
