"""Lists of values with weights (`q=…`), as the headers Accept and Accept-Encoding have them."""

import re
from collections.abc import Iterator

WEIGHT = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)


MAX_VALUES = 100
"""Values of a header that are read; those after them count as if they were not there. Browsers send fewer than ten."""


def weights(header: str) -> Iterator[tuple[str, float]]:
    """Yield each of the first values of the header in lower case, with its weight from 0 to 1."""
    for part in header.split(",", MAX_VALUES)[:MAX_VALUES]:
        name = part.partition(";")[0].strip().lower()
        weight = WEIGHT.search(part)
        yield name, min(1.0, float(weight[1])) if weight else 1.0
