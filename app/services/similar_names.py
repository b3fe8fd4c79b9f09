"""Detection of names that imitate others: characters that look like ASCII, mixed scripts, invisible characters.

A name uses one script, or Latin with Chinese, Japanese or Korean. A name that is not ASCII but looks like ASCII is
refused, even if no other name looks the same. The table covers the scripts that are allowed.
"""

import unicodedata
from collections.abc import Iterator
from itertools import chain

_TABLE = r"""
A=0391,0410 a=0251,03b1,0430,1d00,2c6d B=0392,0412 b=0184,0185,0299,042c,044c C=03f9,0421 c=03f2,0441,1d04
d=0500,0501,1d05 E=021c,0395,0415 e=0435,1d07,212e,ab32 F=03dc f=0584,a730 G=050c,050d g=0261,0262,0581 H=0397,041d
h=029c,04ba,04bb,0570 I=0399,0406 i=0131,0269,026a,03b9,0456 J=037f,0408 j=0237,03f3,0458,0575,1d0a K=039a,041a
k=0138,03ba,1d0b L=053c l=0196,01c0,029f,04c0,04cf,05d5,05df,0627,0661,06f1,2223,23ae M=039c,03fa,041c m=1d0d N=039d
n=0274,03b7,0578 O=039f,041e,0555
o=03bf,03c3,043e,0585,05e1,0647,0665,06c1,06d5,06f5,0966,09e6,0a66,0ae6,0b20
o=0b66,0be6,0c66,0ce6,0d20,0d66,0e50,0ed0,0f20,101d,1040,17e0,1d0f
P=03a1,0420 p=01bf,03c1,0440,1d18 Q=051a q=051b,0566,a7af R=01a6 r=0280,0433,ab47,ab48 S=0405,054f s=01bd,0455,a731
T=03a4,0422 t=1d1b U=054d u=03c5,057d,1d1c V=0474 v=028b,03bd,0475,1d20 W=051c w=03c9,0461,051d,1d21 X=03a7,0425
x=00d7,03c7,0445 Y=03a5,0423,04ae y=028f,03b3,0443,04af Z=0396 z=1d22 !=01c3 "=201c,201d,2033 %=066a
'=02b9,02bb,02bc,055a,05f3,2018,2019,201b,2032,a78c *=066d,2217 ,=060c,201a
-=02d7,2010,2012,2013,2014,2015,2043,2212 .=00b7,0660,06f0,2022,2027,2219,22c5,3002 /=2044,2215,2571,27cb,29f8
2=01a7,01a8 3=01b7,021d,025b,025c,0292,0417,0437,04e0,04e1 6=0411,0431 :=02d0,0589,05c3,2236,a789 <=02c2,2039
>=02c3,203a \=2216,29f5 _=02cd ~=02dc,223c
"""
"""The code points that look like an ASCII character: letters of the scripts below, digits and punctuation."""

_LOOKS = {int(code, 16): entry[0] for entry in _TABLE.split() for code in entry[2:].split(",")}

_SCRIPT_NAMES = """
LATIN CYRILLIC GREEK ARMENIAN GEORGIAN HEBREW ARABIC THAANA DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU
KANNADA MALAYALAM SINHALA THAI LAO TIBETAN MYANMAR KHMER ETHIOPIC HIRAGANA KATAKANA BOPOMOFO HANGUL CJK
"""
_SCRIPTS = frozenset(_SCRIPT_NAMES.split())
"""Scripts in everyday use, as Unicode names their characters (Unicode Standard Annex 31, table 5)."""

_EAST_ASIAN = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"})
_OTHER_WORDS = {"IDEOGRAPHIC": "CJK", "EXTENDED": "ARABIC", "VERTICAL": "CJK", "HALFWIDTH": "KATAKANA"}
_COMMON = frozenset({"DIGIT", "MODIFIER", "MICRO", "FEMININE", "MASCULINE", "SUPERSCRIPT", "SUBSCRIPT", "VULGAR"})

_INVISIBLE_CODES = "034F 115F 1160 17B4 17B5 2800 2D7F 3164 FFA0 1107F 11A47 11A99 16FE4 1D159"
_INVISIBLE = frozenset(
    chain(
        [int(code, 16) for code in _INVISIBLE_CODES.split()],
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
)
"""Characters that Python calls printable but that are invisible. Control and format characters are not printable."""


def problems(name: str, key: str, *, is_part: bool = False) -> Iterator[str]:
    """Yield a sentence for each problem of a name; `key` is the form in which names are compared.

    For a part of a name (`is_part`) the caller checks that the complete name does not look like ASCII.
    """
    if name.isascii() and key.isascii() and name.isprintable() and key.isprintable():
        return
    if any(ord(each) in _INVISIBLE for each in chain(name, key)) or not (name + key).isprintable():
        yield "It contains an invisible character. Remove it."
    if not (is_part or key.isascii()) and (look := looks_like(name, key)) is not None:
        yield f"It looks like `{look}`. Write it with the characters that it looks like."
    elif problem := _script_problem(key):
        yield problem


def looks_like(*spellings: str) -> str | None:
    """Return the ASCII text that one of the spellings looks like, or None."""
    looks = (spelling.translate(_LOOKS) for spelling in spellings)
    return next((look for look in looks if look.isascii()), None)


def _script_problem(key: str) -> str | None:
    scripts = {script for each in key if (script := _script(each)) is not None}
    if unusual := sorted(scripts - _SCRIPTS):
        return f"It has letters of a script that is not in everyday use ({', '.join(unusual).lower()})."
    if len(scripts) > 1 and not scripts <= _EAST_ASIAN:
        return f"It mixes scripts ({', '.join(sorted(scripts)).lower()}). Use letters of one script."
    return None


def _script(character: str) -> str | None:
    """Return the script of a letter or digit, None for a character of no script."""
    if character.isascii():
        return "LATIN" if character.isalpha() else None
    if not (character.isalpha() or character.isdecimal()):
        return None
    word = unicodedata.name(character, "UNKNOWN").replace("-", " ").split()[0]
    return None if word in _COMMON else _OTHER_WORDS.get(word, word)
