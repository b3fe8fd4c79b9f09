"""Extraction of one cookie from the header Cookie, in linear time and without parsing the other cookies.

The parser of the standard library takes quadratic time for some headers, and a header may have 64 KB.
"""

BLANKS = b" \t"
SEMICOLON = ord(";")


def extract(header: bytes, name: bytes) -> bytes | None:
    """Return the value of the first cookie with this name, without blanks and quotes around it.

    A semicolon ends a cookie even within quotes, as in browsers (RFC 6265, 5.2). Browsers send the cookie with the
    longest path first, and of equal paths the oldest (RFC 6265, 5.4). So the first cookie is the most specific one, and
    a cookie that another host or path adds later does not replace it.
    """
    prefix = name + b"="
    begin = header.find(prefix)
    while begin >= 0:
        value = begin + len(prefix)
        if _is_start(header, begin):
            end = header.find(b";", value)
            return _unquote(header[value : len(header) if end < 0 else end].strip(BLANKS))
        begin = header.find(prefix, value)
    return None


def _is_start(header: bytes, at: int) -> bool:
    """Return whether a cookie starts here: at the start of the header or after a semicolon, ignoring blanks.

    Each blank is read at most once per header, since the blanks before a match end at another character.
    """
    while at and header[at - 1] in BLANKS:
        at -= 1
    return not at or header[at - 1] == SEMICOLON


def _unquote(value: bytes) -> bytes:
    is_quoted = len(value) > 1 and value.startswith(b'"') and value.endswith(b'"')
    return value[1:-1] if is_quoted else value
