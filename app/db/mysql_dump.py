"""Reading tables from the file of mysqldump or mariadb-dump, without a server. Such a file is not trusted.

Only CREATE TABLE and INSERT of the tables that are asked for are read: nothing of the file is run. Text in
`/*!40101 ... */` counts, as MySQL runs it.
"""

import mmap
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from app.db.backups import Report
from app.db.other_sqlite import MAX_ROWS, MAX_VALUE_BYTES, Columns, Rows, UnreadableFile

_COMMENT_ENDS = {b"--": b"\n", b"#": b"\n", b"/*": b"*/"}
_COMMENT = re.compile(rb"--(?=\s|\Z)|#|/\*(?!M?!)|/\*(?=M?!999999)")
"""The beginning of what MySQL does not run; version 999999 is a line of MariaDB for its own client."""

_SPACE = re.compile(rb"(?:\s++|/\*M?!(?!999999)\d*+|\*/)*+")
"""Blanks, and the marks around what only some versions run."""

_TOKEN = re.compile(
    rb"""(?P<text>'(?:[^'\\]++|\\.|'')*+'|"(?:[^"\\]++|\\.|"")*+")
    |(?P<hex>0[xX][0-9A-Fa-f]++|[xX]'[0-9A-Fa-f]*+')
    |(?P<bits>0b[01]++|[bB]'[01]*+')
    |(?P<number>[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?)
    |(?P<quoted>`(?:[^`]++|``)*+`)
    |(?P<word>[A-Za-z_$\x80-\xff][\w$\x80-\xff]*+)
    |(?P<sign>[^'"`])""",
    re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(rb"""[^;'"`/#-]++""")
_SAME_DELIMITER = re.compile(rb"[ \t]*;?[ \t]*(?=[\r\n]|\Z)")
_ESCAPED = {quote: re.compile(rb"\\(.)|" + quote * 2, re.DOTALL) for quote in (b"'", b'"')}
_ESCAPES = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a", b"%": rb"\%", b"_": rb"\_"}

_KEYS = frozenset({"PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK"})
"""First words in a CREATE TABLE that begin no column."""

_INSERT_WORDS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"})
_AFTER_ROWS = frozenset({"ON", "AS"})
_OTHER_CHANGES = frozenset({"DELETE", "UPDATE", "TRUNCATE", "LOAD"})
_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "bool", "boolean"})
_CONSTANTS = {"NULL": None, "TRUE": 1, "FALSE": 0}
_UTF_8 = frozenset({"utf8", "utf8mb3", "utf8mb4", "ascii", "binary"})
_MARK = re.compile(rb"(?:^|(?<=\xbf))-- (?:((?:MySQL|MariaDB) dump)|Dump completed)", re.MULTILINE)
"""The first and the last comment of a dump, each a line of its own."""

_UUID_BYTES, _BIT_BYTES = 16, 8
_NUMBER_BYTES = 100
"""Characters of a number: MySQL has none with more, and Python reads none of thousands of digits."""

_WHOLE_NUMBER = re.compile(rb"\s*\d{1,20}\s*")
_REPORT_ROWS = 1_000


class _Column(NamedTuple):
    name: str
    type: str


class _Token(NamedTuple):
    kind: str
    text: bytes

    @property
    def word(self) -> str:
        """Return a word in upper case, an empty text for another token."""
        return self.text.decode("latin-1").upper() if self.kind == "word" else ""


def read_tables(
    path: Path,
    tables: Mapping[str, Columns],
    optional: Sequence[str] = (),
    report: Report | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> dict[str, Rows]:
    """Return the rows of some tables by the names of the tables; an optional one may be missing.

    Names of tables and columns are found in any letter case. `warn` is told if the file does not say where a dump
    ends. Raises UnreadableFile.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise UnreadableFile("it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                raise UnreadableFile("it is in UTF-16, as PowerShell writes it: dump again with --result-file")
            dump = _Dump(data, tables, report or (lambda *_: None))
            dump.read()
    for name in tables:
        if name not in dump.rows and name not in optional:
            raise UnreadableFile(f"it has no table {name}")
    if not dump.headers:
        warn("has no comments of mysqldump, so that nothing shows whether it is complete: dump without --skip-comments")
    return {name: dump.rows.get(name, []) for name in tables}


def is_dump(path: Path) -> bool:
    """Return whether a file is one of SQL, by its name or its beginning. Raises OSError."""
    if path.suffix.lower() == ".sql":
        return True
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"-- ", b"/*"))


class _Dump:
    """Reads statement after statement. `rows` has the tables that were created or filled, `headers` counts dumps."""

    def __init__(self, data: mmap.mmap, tables: Mapping[str, Columns], report: Report) -> None:
        self._data, self._report = data, report
        self._at = 3 if data[:3] == b"\xef\xbb\xbf" else 0
        self._tables = {name.lower(): (name, columns) for name, columns in tables.items()}
        self._created: dict[str, list[_Column]] = {}
        self._databases: dict[str, str] = {}
        self._database = ""
        self.rows: dict[str, Rows] = {}
        self.headers = self._trailers = 0

    def read(self) -> None:
        """Read all statements. Raises UnreadableFile."""
        statements: dict[str, Callable[[], None]] = {
            "CREATE": self._create,
            "INSERT": self._insert,
            "REPLACE": self._insert,
            "USE": self._use,
            "SET": self._set,
            "DELIMITER": self._skip_programs,
        }
        while (token := self._next(may_end=True)) is not None:
            word = token.word
            if word in _OTHER_CHANGES:
                self._refuse_change(word)
            elif word in statements:
                statements[word]()
            elif token.text != b";":
                self._skip_statement()
            self._report("read bytes", self._at, len(self._data))
        if self._trailers < self.headers:
            raise UnreadableFile(
                "it does not end with `-- Dump completed`, or one of its dumps: the dump is incomplete"
            )

    def _error(self, reason: str) -> UnreadableFile:
        line = self._data[: self._at].count(b"\n") + 1
        return UnreadableFile(f"line {line}: {reason}")

    def _skip_blanks(self) -> None:
        while True:
            self._at = _SPACE.match(self._data, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            if (comment := _COMMENT.match(self._data, self._at)) is None:
                return
            end = _COMMENT_ENDS[comment.group()]
            at = self._data.find(end, comment.end())
            if at < 0 and end == b"*/":
                raise self._error("a comment does not end: the dump is incomplete")
            if (mark := _MARK.match(self._data, comment.start())) is not None:
                self.headers += mark[1] is not None
                self._trailers += mark[1] is None
            self._at = len(self._data) if at < 0 else at + len(end)

    def _peek(self) -> _Token | None:
        """Return the next token and leave it, None at the end."""
        self._skip_blanks()
        matched = _TOKEN.match(self._data, self._at)
        if matched is None or matched.lastgroup is None:
            if self._at == len(self._data):
                return None
            raise self._error("a quoted text does not end: the dump is incomplete")
        return _Token(matched.lastgroup, matched.group())

    def _next(self, *, may_end: bool = False) -> Any:
        """Return the next token; None at the end, if the file may end here."""
        token = self._peek()
        if token is None and not may_end:
            raise self._error("the statement does not end: the dump is incomplete")
        self._at += 0 if token is None else len(token.text)
        return token

    def _skip_statement(self) -> None:
        while True:
            self._skip_blanks()
            if (plain := _PLAIN.match(self._data, self._at)) is not None:
                self._at = plain.end()
            elif self._next().text == b";":
                return

    def _skip_programs(self) -> None:
        """Skip triggers and routines: mysqldump sets another delimiter around them, and then `;` again."""
        if (same := _SAME_DELIMITER.match(self._data, self._at)) is not None:
            self._at = same.end()
            return
        ends = re.compile(rb"\n[ \t]*DELIMITER[ \t]+;[ \t]*(?:\r?\n|\Z)", re.IGNORECASE)
        end = ends.search(self._data, self._at)
        if end is None:
            raise self._error("the delimiter is never `;` again: the dump is incomplete")
        self._at = end.end()

    def _use(self) -> None:
        self._database = _name(self._next())
        self._skip_statement()

    def _set(self) -> None:
        if self._next().word == "NAMES":
            charset = _name(self._next()).strip("'")
            if charset.lower() not in _UTF_8 | {"default"}:
                raise self._error(f"the dump is in {charset}: dump again with --default-character-set=utf8mb4")
        self._skip_statement()

    def _table(self) -> tuple[str, Columns] | None:
        """Read the name of a table, and return the one that is asked for, None for another."""
        database, name = self._database, _name(self._next())
        token = self._peek()
        if token is not None and token.text == b".":
            self._next()
            database, name = name, _name(self._next())
        if (table := self._tables.get(name.lower())) is None:
            return None
        if self._databases.setdefault(table[0], database) != database:
            two = sorted({self._databases[table[0]], database})
            raise self._error(f"the table {table[0]} is in two databases, {' and '.join(two)}: dump one of them")
        return table

    def _refuse_change(self, word: str) -> None:
        """Refuse a statement that changes a table in a way that is not read here."""
        for _ in range(8):  # LOAD DATA LOCAL INFILE 'name' INTO TABLE
            token = self._peek()
            if token is None or token.text == b";":
                break
            if _name(token).lower() in self._tables:
                raise self._error(f"{word} is not read: dump the table as CREATE TABLE and INSERT")
            self._next()
        self._skip_statement()

    def _create(self) -> None:
        word = self._next().word
        while word in {"OR", "REPLACE", "TEMPORARY"}:
            word = self._next().word
        if word != "TABLE":
            return self._skip_statement()
        token, is_new = self._peek(), True
        if token is not None and token.word == "IF":
            is_new = False
            for _ in ("IF", "NOT", "EXISTS"):
                self._next()
        table = self._table()
        if table is not None and (is_new or table[0] not in self.rows):
            if self._next().text != b"(":
                raise self._error(f"CREATE TABLE {table[0]} has no columns")
            self._created[table[0]] = [*self._definitions()]
            _positions(*table, self._created[table[0]])
            self.rows[table[0]] = []
        return self._skip_statement()

    def _definitions(self) -> Iterator[_Column]:
        """Yield the columns of a CREATE TABLE, up to its last parenthesis."""
        while True:
            token = self._next()
            if token.word not in _KEYS:
                yield _Column(_name(token), _name(self._next()).lower())
            if self._skip_definition() == b")":
                return

    def _skip_definition(self) -> bytes:
        depth = 0
        while True:
            text = self._next().text
            if depth == 0 and text in {b",", b")"}:
                return bytes(text)
            depth += (text == b"(") - (text == b")")

    def _insert(self) -> None:
        while (token := self._peek()) is not None and token.word in _INSERT_WORDS:
            self._next()
        if (table := self._table()) is None:
            return self._skip_statement()
        name, wanted = table
        columns, token = self._created.get(name), self._next()
        if token.text == b"(":
            types = {column.name.lower(): column for column in columns or ()}
            names = [*self._names()]
            columns = [types.get(each.lower(), _Column(each, "")) for each in names]
            token = self._next()
        if token.word not in {"VALUES", "VALUE"}:
            raise self._error(f"INSERT INTO {name} has no VALUES")
        if columns is None:
            raise self._error(f"INSERT INTO {name} names no columns, and no CREATE TABLE is before it")
        self._read_rows(name, columns, wanted)
        return None

    def _names(self) -> Iterator[str]:
        while (token := self._next()).text != b")":
            if token.text != b",":
                yield _name(token)

    def _read_rows(self, table: str, columns: Sequence[_Column], wanted: Columns) -> None:
        """Read the rows of one INSERT, and of each the columns that are asked for."""
        chosen = _positions(table, wanted, columns)
        rows = self.rows.setdefault(table, [])
        while True:
            if self._next().text != b"(":
                raise self._error(f"a row of {table} is missing")
            values = self._values(table)
            if len(values) != len(columns):
                raise self._error(f"a row of {table} has {len(values)} values for {len(columns)} columns")
            rows.append(
                {name: None if at is None else self._convert(values[at], columns[at]) for name, at in chosen.items()}
            )
            if len(rows) > MAX_ROWS:
                raise UnreadableFile(f"its table {table} has more than {MAX_ROWS:,} rows")
            if len(rows) % _REPORT_ROWS == 0:
                self._report("read bytes", self._at, len(self._data))
            if not self._has_another_row(table):
                return

    def _has_another_row(self, table: str) -> bool:
        """Read what is after a row: a comma, or the rest of the statement."""
        token = self._next()
        if token.word in _AFTER_ROWS:
            self._skip_statement()
        elif token.text not in {b",", b";"}:
            raise self._error(f"there is no comma between two rows of {table}")
        return bool(token.text == b",")

    def _values(self, table: str) -> list[Any]:
        values = [self._value(table)]
        while (text := self._next().text) == b",":
            values.append(self._value(table))
        if text != b")":
            raise self._error("a value is no literal")
        return values

    def _literal(self, table: str) -> _Token:
        """Read a literal, without the name of its character set. Raises UnreadableFile for one that is too long."""
        token: _Token = self._next()
        if token.kind == "word" and (token.word == "N" or token.text[:1] == b"_"):
            token = self._next()
            if token.kind not in {"text", "hex", "bits"}:
                raise self._error(f"a character set of {table} has no text")
        if len(token.text) > (_NUMBER_BYTES if token.kind in {"number", "bits"} else 2 * MAX_VALUE_BYTES):
            raise self._error(f"a value of {table} is too long")
        return token

    def _value(self, table: str) -> Any:
        """Return a literal: texts, hexadecimal ones too, as bytes."""
        token = self._literal(table)
        text = token.text
        match token.kind:
            case "text":
                return _ESCAPED[text[:1]].sub(_unescape, text[1:-1])
            case "hex":
                digits = text.strip(b"xX'") if text[:1] != b"0" else text[2:]
                return bytes.fromhex(digits.decode().rjust((len(digits) + 1) // 2 * 2, "0"))
            case "bits":
                return int(text.strip(b"bB'") if text[:1] != b"0" else text[2:] or b"0", 2) if text.strip(b"bB'") else 0
            case "number":
                return int(text) if text.lstrip(b"+-").isdigit() else float(text)
            case "word" if token.word in _CONSTANTS:
                return _CONSTANTS[token.word]
        raise self._error(f"{text[:20].decode('latin-1')} is no literal")

    def _convert(self, value: Any, column: _Column) -> Any:
        """Return a value as SQLite would have it: numbers and texts."""
        if not isinstance(value, bytes):
            return value
        if column.type == "bit" and len(value) <= _BIT_BYTES:
            return int.from_bytes(value, "big")
        if column.type in _INTEGERS and _WHOLE_NUMBER.fullmatch(value):
            return int(value)
        if column.type == "binary" and len(value) == _UUID_BYTES:
            return str(UUID(bytes=value))
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise self._error(f"the column {column.name} has no text in UTF-8") from None


def _positions(table: str, wanted: Columns, columns: Sequence[_Column]) -> dict[str, int | None]:
    """Return the positions of the columns that are asked for, None for an optional one that is missing."""
    positions = {column.name.lower(): at for at, column in enumerate(columns)}
    if missing := [name for name in wanted.required if name.lower() not in positions]:
        raise UnreadableFile(f"its table {table} has no column {missing[0]}")
    return {name: positions.get(name.lower()) for name in (*wanted.required, *wanted.optional)}


def _name(token: _Token) -> str:
    text = token.text
    if token.kind in {"quoted", "text"}:
        quote = text[:1]
        text = text[1:-1].replace(quote * 2, quote)
    return text.decode("utf-8", "replace")


def _unescape(matched: re.Match[bytes]) -> bytes:
    character = matched.group(1)
    return matched.group()[:1] if character is None else _ESCAPES.get(character, character)
