"""Messages in which a number stands before a noun have both agree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from emogan_core import counted, numbered

ROOT = Path(__file__).parents[1]
MESSAGES = [
    path
    for folder in ("emogan_core", "nodes")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "training" not in path.relative_to(ROOT).parts  # whose words only its runner reads
]
NOUNS = (
    "axes columns classes examples faces frames images labels latents ones people photos pictures points samples steps "
    "tensors values"
)
COUNTED = re.compile(rf" (?:\w+ )?(?:{'|'.join(NOUNS.split())})\b")
A_COUNT = re.compile(r"\blen\(|count|\bsum\(|n_[a-z]|steps")


def counts_in(path: Path) -> Iterator[str]:
    """Texts of a module in which a number that may be one stands before a plural: "3 of 5 pictures" is right."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for before, number, after in zip([None, *node.values[:-2]], node.values[:-1], node.values[1:], strict=False):
            if not isinstance(number, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            of = isinstance(before, ast.Constant) and re.search(r"\b(?:of|all|first) $", str(before.value))
            if not of and COUNTED.match(str(after.value)) and A_COUNT.search(ast.unparse(number.value)):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}: {ast.unparse(node)}"


def test_golden_nouns_agree_with_their_number() -> None:
    assert [counted(number, "picture") for number in (0, 1, 2)] == ["0 pictures", "1 picture", "2 pictures"]
    assert counted(1, "class", "classes") == "1 class"
    assert counted(3, "sample shows", "samples show") == "3 samples show"
    assert numbered("frame", [4]) == "frame 4"
    assert numbered("frame", list(range(1, 15))) == "frames 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more"


def test_invariance_no_message_counts_without_it() -> None:
    assert [text for path in MESSAGES for text in counts_in(path)] == []
