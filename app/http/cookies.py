"""Takes one cookie out of the header Cookie, in time linear in its length. No other cookie is parsed.

The parser of the standard library takes quadratic time for some headers, and a header of 64 KB is permitted.
"""

BLANKS = b" \t"
SEMICOLON = ord(";")


def extract(header: bytes, name: bytes) -> bytes | None:
    """Return the value of the first cookie with this name, without blanks and quotes around it.

    A semicolon ends a cookie wherever it stands, also within quotes, as in browsers (RFC 6265, 5.2). Browsers send the
    cookie with the longest path first (RFC 6265, 5.4), and of equal paths the one that was set first: the first one is
    the most specific one, and one that a neighbour host or path adds later does not replace it.
    """
    sought = name + b"="
    begin = header.find(sought)
    while begin >= 0:
        value = begin + len(sought)
        if _is_start(header, begin):
            end = header.find(b";", value)
            return _unquote(header[value : len(header) if end < 0 else end].strip(BLANKS))
        begin = header.find(sought, value)
    return None


def _is_start(header: bytes, at: int) -> bool:
    """Tell whether a cookie starts here: at the start of the header or after a semicolon, blanks aside.

    No blank is looked at twice in one header: the one before the name sought ends at another character.
    """
    while at and header[at - 1] in BLANKS:
        at -= 1
    return not at or header[at - 1] == SEMICOLON


def _unquote(value: bytes) -> bytes:
    is_quoted = len(value) > 1 and value.startswith(b'"') and value.endswith(b'"')
    return value[1:-1] if is_quoted else value
