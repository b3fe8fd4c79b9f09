"""Parsing of URL-encoded fields, in forms and queries, at the speed of C: a text may be nothing but escapes.

The results are those of `urllib.parse.parse_qsl`, which makes an object for each escape.
"""

import re
from binascii import a2b_qp

_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
"""A percent sign that stands for itself."""


class TooManyFields(ValueError):
    """The text has more fields than the caller allows."""


def parse_fields(text: bytes, maximum: int) -> list[tuple[str, str]]:
    """Return names and values in their order. Raises TooManyFields, and UnicodeDecodeError if the text is not UTF-8."""
    if text.count(b"&") >= maximum:
        raise TooManyFields
    pairs = (field.partition(b"=") for field in text.split(b"&") if field)
    return [(_unquote(name), _unquote(value)) for name, _, value in pairs]


def _unquote(text: bytes) -> str:
    text = text.replace(b"+", b" ")
    if b"%" in text:
        # Escapes of quoted-printable (RFC 2045) differ in the sign only, and end lines.
        signed = _NO_ESCAPE.sub(b"%25", text).replace(b"=", b"=3D").replace(b"%", b"=")
        text = a2b_qp(signed)
    return text.decode()
