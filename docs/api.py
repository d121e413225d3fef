"""The public interface as a page, from the sources' own signatures and docstrings: python docs/api.py writes docs/api.md.

Nothing is imported but the list of names; the rest is read off the syntax tree.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORE = ROOT / "emogan_core"
PAGE = ROOT / "docs" / "api.md"
LONGEST_VALUE = 100
INTRODUCTION = """# The public interface

Every name below is imported from `emogan_core` itself, and loaded when first used. Written by `python docs/api.py` from the sources: change the docstrings, not this page.

Shapes in square brackets name their axes: n pictures or faces, h and w pixels, r the side of a generator's picture, k the face model's expression shapes, v its vertices, f those of the face's skin. Latents are `ws` [n, num_ws, w_dim] in the W+ space of one generator, which its `fingerprint` names.
"""
LABELS = ("Convention", "Raises", "Source")
LONGEST_LINE = 100
ORDER = ("images", "faces", "checkpoints", "networks", "inversion", "expressions", "compose", "latents", "face_model")
"""Packages in the order in which an edit meets them; the rest follow as the sources have them."""

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def page() -> str:
    """The page as text."""
    packages = _packages()
    parts = [INTRODUCTION, "| from | names |\n|---|---|"]
    parts[1] += "".join(
        f"\n| [{package}](#emogan_core{package}) | {', '.join(f'[{name}](#{name.lower()})' for names in modules.values() for name in names)} |"
        for package, modules in packages.items()
    )
    parts[1] += "\n"
    for package, modules in packages.items():
        parts.append(f"## emogan_core.{package}\n\n{_flowing(ast.get_docstring(_tree(package)) or '')}\n")
        parts += [_entry(name, *definition_of(module, name)) for module, names in modules.items() for name in names]
    return "\n".join(parts)


def public_names() -> dict[str, str]:
    """The module from which each public name is loaded, in the order of the sources."""
    (block,) = [node for node in _tree("").body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def definition_of(module: str, name: str) -> tuple[Definition, str]:
    """Where a name is defined, followed through the packages that hand it on, and its docstring."""
    body = _tree(module).body
    for at, node in enumerate(body):
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names] and node.level:
            inside = module.split(".") if _file(module).name == "__init__.py" else module.split(".")[:-1]
            inside = inside[: len(inside) - node.level + 1]
            return definition_of(".".join([*inside, *([node.module] if node.module else [])]), name)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node, ast.get_docstring(node) or ""
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in [ast.unparse(one) for one in _targets(node)]:
            after = body[at + 1] if at + 1 < len(body) else None
            told = after.value if isinstance(after, ast.Expr) else None
            text = told.value if isinstance(told, ast.Constant) and isinstance(told.value, str) else ""
            return node, inspect.cleandoc(text)
    raise LookupError(f"emogan_core.{module} does not define {name}, which emogan_core/__init__.py takes from there")


def _packages() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for name, module in public_names().items():
        found.setdefault(module.split(".")[0], {}).setdefault(module, []).append(name)
    return {package: found[package] for package in sorted(found, key=lambda one: (*ORDER, one).index(one))}


def _file(module: str) -> Path:
    place = CORE.joinpath(*module.split(".")) if module else CORE
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _entry(name: str, node: Definition, doc: str) -> str:
    lines = [f"### {name}", "", "```python", *_signature(name, node), "```", "", _flowing(doc), ""]
    if isinstance(node, ast.ClassDef):
        members = list(_members(node))
        lines += [*members, ""] if members else []
    return "\n".join(lines)


def _signature(name: str, node: Definition) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [f"def {_called(name, node)}: ..."]
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(_shown(base) for base in node.bases)
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and _is_field(one)]
        head = f"class {name}({bases}):" if bases else f"class {name}:"
        return [head, *(f"    {_shown(one)}" for one in fields)] if fields else [f"{head} ..."]
    kind = f": {_shown(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    value = "" if node.value is None else _shown(node.value)
    return [f"{name}{kind} = {value if len(value) <= LONGEST_VALUE else '...'}"]


def _is_field(node: ast.AnnAssign) -> bool:
    return not _shown(node.target).startswith("_")


def _called(name: str, node: ast.FunctionDef) -> str:
    """The call with types and defaults, one argument a line where it is long."""
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    parts = [_argument(*pair) for pair in zip(positional, defaults, strict=True) if pair[0].arg not in ("self", "cls")]
    if given.kwonlyargs:
        parts += ["*", *(_argument(*pair) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True))]
    returns = f" -> {_shown(node.returns)}" if node.returns else ""
    line = f"{name}({', '.join(parts)}){returns}"
    if len(line) <= LONGEST_LINE:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {_shown(argument.annotation)}" if argument.annotation else ""
    if default is None:
        return f"{argument.arg}{kind}"
    return f"{argument.arg}{kind}{' = ' if kind else '='}{_shown(default)}"


def _shown(node: ast.AST) -> str:
    """As the sources are formatted, whatever version of Python unparses them."""
    text = ast.unparse(node).replace("lambda :", "lambda:")
    return text if '"' in text else text.replace("'", '"')


def _members(node: ast.ClassDef) -> Iterator[str]:
    """Public methods and properties that have a docstring, one line each."""
    for one in node.body:
        doc = ast.get_docstring(one) if isinstance(one, ast.FunctionDef) else None
        if (
            not isinstance(one, ast.FunctionDef)
            or doc is None
            or (one.name.startswith("_") and one.name != "__getitem__")
        ):
            continue
        is_property = any(_shown(decorator) == "property" for decorator in one.decorator_list)
        kind = f": {_shown(one.returns)}" if is_property and one.returns else ""
        called = " ".join(_called(one.name, one).split())
        shown = f".{one.name}{kind}" if is_property else f".{called}"
        yield f"- `{shown}`: {' '.join(_flowing(doc).split())}"


def _flowing(doc: str) -> str:
    """A docstring as Markdown: paragraphs on one line each, its labels in italics, its examples as code."""
    doc = re.sub(rf"^({'|'.join(LABELS)}):", r"\n*\1*:", doc, flags=re.MULTILINE)
    parts = [part.strip("\n") for part in re.split(r"\n\s*\n", doc) if part.strip()]
    return "\n\n".join(
        f"```pycon\n{part}\n```" if part.lstrip().startswith(">>>") else " ".join(part.split()) for part in parts
    )


if __name__ == "__main__":
    sys.exit(main())
