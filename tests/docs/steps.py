"""The steps of a page and their answers."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from tests.docs import markdown
from tests.docs.compare import is_same_json, is_same_text
from tests.docs.markdown import Block
from tests.docs.session import Session, decoded


def run(text: str, folder: Path, database: str = "") -> None:
    """Run the steps of a page in their order, and compare each answer with the printed one."""
    blocks = markdown.blocks(text)
    with Session(folder, text, database) as session:
        for number, block in enumerate(blocks):
            if block.title and block.title != "variables":
                session.write(block)
            elif block.language == "sh" and _is_possible(block):
                _compare(block, session.shell(block.text), _answer(blocks, number + 1))
            elif is_asked(block):
                variables, answer = _variables_and_answer(blocks, number + 1)
                _compare(block, json.dumps(session.graphql(block.text, variables)), answer)


def is_asked(block: Block) -> bool:
    """Return whether a block is an operation that names its user."""
    return block.language == "graphql" and re.match(r"# \w+\n", block.text) is not None


def _is_possible(block: Block) -> bool:
    """Return whether the block needs nothing that may be missing here: of all programs, only Node may."""
    return not block.text.startswith("node ") or shutil.which("node") is not None


def _answer(blocks: list[Block], number: int) -> Block | None:
    block = blocks[number] if number < len(blocks) else None
    is_answer = block is not None and block.follows and not block.title and block.language in {"json", "text"}
    return block if is_answer else None


def _variables_and_answer(blocks: list[Block], number: int) -> tuple[Any, Block | None]:
    if number < len(blocks) and blocks[number].title == "variables":
        return json.loads(blocks[number].text), _answer(blocks, number + 1)
    return None, _answer(blocks, number)


def _compare(step: Block, real: str, answer: Block | None) -> None:
    if answer is None:
        return
    if answer.language == "text":
        is_same = is_same_text(answer.text, real)
    else:
        is_same = is_same_json(decoded(answer.text), decoded(real))
    assert is_same, f"the step on line {step.line} is answered\n{real}"
