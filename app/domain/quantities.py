"""Numbers with their nouns, for texts of the command line and of errors. It is here because all layers write texts."""


def format_count(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as `1 seal` or `1,200 seals`. Without a `plural`, it is formed with an s."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
