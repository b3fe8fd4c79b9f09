"""Write the generated blocks of every page, and name the pages that changed."""

from scripts.reference_tables import FOLDER, updated

for _page in sorted(FOLDER.glob("*.md")):
    _before = _page.read_text("utf-8")
    _after = updated(_before)
    if _after != _before:
        _page.write_text(_after, "utf-8")
        print(f"updated {_page.relative_to(FOLDER.parents[1])}")
