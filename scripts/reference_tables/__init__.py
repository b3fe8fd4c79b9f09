"""The generated tables of docs/reference.

A page has blocks between `<!-- generated: NAME -->` and `<!-- end -->`. `BLOCKS` names the function that prints each
block from the code. `scripts/reference` writes them; `tests/rules/test_reference.py` fails where one is out of date.
"""

from scripts.reference_tables.pages import BLOCKS, FOLDER, block_names, updated

__all__ = ["BLOCKS", "FOLDER", "block_names", "updated"]
