"""Who may import whom, and what appears nowhere."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "emogan_core"
LAYERS = (
    {"errors", "progress", "latents", "deltas", "devices", "files", "weights", "images", "provenance", "free_memory"}
    | {"wording"}  # of messages
    | {"decoding", "picture_headers", "depth", "metadata", "workflow_records"},  # of pictures
    {"networks", "face_model", "glm"},
    {"faces", "checkpoints"},
    {"inversion"},
    {"compose", "expressions"},
    {"comparing", "sheets"},
    {"report", "encoder_training"},
    {"training"},  # above sheets, on which recipes show what they made; imported by nobody
    {
        "cli",
        "commands",
        "argument_types",
        "encoder_arguments",
        "fit_arguments",
        "parser",
        "public_names",
        "progress_bar",
        "terminal",
        "__main__",
        "__init__",
    },  # commands does what cli has read; progress_bar shows how far
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
SOURCES = sorted(
    path for folder in ("emogan_core", "nodes", "tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py")
)
PROGRAM = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in ("emogan_core", "nodes")]
CORE_FILES = [path for path in PROGRAM if CORE in path.parents]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def package_of(path: Path) -> str:
    """The package, or module, directly inside emogan_core that a file belongs to."""
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every imported name, absolute: emogan_core.faces.align.Face, torch, ..."""
    yield from imported(tree(path), path)


def for_types(path: Path) -> Iterator[str]:
    """Those imported for type checkers alone."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imported(node, path)


def imported(within: ast.AST, path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(within):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *((node.module,) if node.module else ())))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def packages_known_to(path: Path) -> set[str]:
    parts = (module.split(".") for module in imports(path))
    return {part[1] for part in parts if part[0] == "emogan_core" and len(part) > 1 and part[1] in LAYER_OF}


def tops(path: Path) -> set[str]:
    """What a file imports, packages' names alone."""
    return {module.split(".")[0] for module in imports(path)}


def circles(knows: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle."""
    while knows:
        free = {module for module, others in knows.items() if not others & set(knows)}
        if not free:
            return sorted(knows)
        knows = {module: others for module, others in knows.items() if module not in free}
    return []


def test_shape_every_package_has_a_layer() -> None:
    here = {package_of(path) for path in CORE_FILES}
    assert here - set(LAYER_OF) <= {"builtin"}


def may_import(package: str, other: str) -> bool:
    """A package sees only lower layers; within the lowest and the highest layer modules may import each other.

    Nobody imports training, which is not in the published archive.
    """
    if package == "builtin" or other == "training":
        return False
    layer = LAYER_OF[package]
    is_neighbour = LAYER_OF[other] == layer and layer in (0, len(LAYERS) - 1)
    return LAYER_OF[other] < layer or is_neighbour


def test_invariance_imports_point_down() -> None:
    wrong = [
        f"{name(path)} must not import {other}"
        for path in CORE_FILES
        for other in packages_known_to(path) - {package_of(path)}
        if not may_import(package_of(path), other)
    ]
    assert wrong == []


def test_invariance_the_lowest_layer_has_no_circles() -> None:
    assert circles({module: packages_known_to(CORE / f"{module}.py") - {module} for module in LAYERS[0]}) == []


def test_invariance_no_package_has_circles() -> None:
    """Among a package's own modules, those in folders of its own included; what types alone need is no import."""
    packages = sorted(package for package in LAYER_OF if (CORE / package).is_dir())
    assert packages
    assert {package: found for package in packages if (found := circles(inside(package)))} == {}


def inside(package: str) -> dict[str, set[str]]:
    """Which of a package's modules each of them imports."""
    folder, prefix = CORE / package, f"emogan_core.{package}."
    modules = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path
        for path in folder.rglob("*.py")
        if path != folder / "__init__.py"
    }

    def known(names: Iterator[str]) -> set[str]:
        """Modules out of imported names: the longest part that is one."""
        within = [imported.removeprefix(prefix).split(".") for imported in names if imported.startswith(prefix)]
        starts = ([".".join(parts[:end]) for end in range(len(parts), 0, -1)] for parts in within)
        return {
            next(start for start in several if start in modules) for several in starts if set(several) & set(modules)
        }

    return {module: known(imports(path)) - {module} - known(for_types(path)) for module, path in modules.items()}


def test_invariance_the_core_knows_no_host() -> None:
    host = {"comfy", "comfy_api", "comfy_extras", "nodes", "folder_paths", "execution", "server"}
    assert {name(path): found for path in CORE_FILES if (found := tops(path) & host)} == {}
    assert [name(path) for path in CORE_FILES if package_of(path) == "glm" and "torch" in tops(path)] == []


RUNS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def runs_a_strangers_code(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return ast.unparse(node) in ("torch.load", "torch.save", "torch.hub", "os.system")
    if not isinstance(node, ast.Call):
        return False
    called, whole = ast.unparse(node.func), ast.unparse(node)
    loose = called.endswith(".load_state_dict") and "strict=False" in whole
    return loose or called in ("eval", "exec") or "allow_pickle=True" in whole


def test_invariance_nothing_that_runs_a_strangers_code() -> None:
    assert {name(path): found for path in PROGRAM if (found := tops(path) & RUNS_CODE)} == {}
    assert where(runs_a_strangers_code) == []


def where(wrong: Callable[[ast.AST], bool], files: Sequence[Path] = PROGRAM) -> list[str]:
    """File, line and text of every node of the program's syntax trees that a rule calls wrong."""
    return [
        f"{name(path)}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for path in files
        for node in ast.walk(tree(path))
        if wrong(node)
    ]


SEEDS = {"torch.manual_seed", "np.random.seed", "np.random.rand", "np.random.randn", "random.seed"}


def test_invariance_randomness_is_handed_in() -> None:
    """Only training, a process of its own, may seed the global generator, for the layers' initial weights."""
    files = [path for path in PROGRAM if path.parent.name != "training"]
    assert where(lambda node: isinstance(node, ast.Attribute) and ast.unparse(node) in SEEDS, files) == []


def test_invariance_no_network() -> None:
    network = {"urllib", "http", "requests", "socket", "httpx", "huggingface_hub", "gdown"}
    assert {name(path): found for path in PROGRAM if (found := tops(path) & network)} == {}


def raises_without_words(node: ast.AST) -> bool:
    """An error that says nothing; not a caught one raised again, or a signal."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    spelled = raised.attr if isinstance(raised, ast.Attribute) else getattr(raised, "id", "")
    if not spelled[:1].isupper() or spelled in ("Cancelled", "KeyboardInterrupt", "StopIteration"):
        return False
    return not isinstance(node.exc, ast.Call) or not (node.exc.args or node.exc.keywords)


def test_invariance_every_error_has_words() -> None:
    assert where(raises_without_words) == []


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (runs_a_strangers_code, "torch.load('a')"),
        (runs_a_strangers_code, "net.load_state_dict(table, strict=False)"),
        (runs_a_strangers_code, "np.load('a', allow_pickle=True)"),
        (runs_a_strangers_code, "exec('1')"),
        (raises_without_words, "raise errors.ShapeError"),
        (raises_without_words, "raise ShapeError()"),
    ],
)
def test_error_what_these_rules_find(rule: Callable[[ast.AST], bool], line: str) -> None:
    assert any(rule(node) for node in ast.walk(ast.parse(line)))
    assert not any(rule(node) for node in ast.walk(ast.parse("raise ShapeError('a')\nnet.load_state_dict(table)")))


def test_shape_sources_are_plain() -> None:
    assert [name(path) for path in SOURCES if not path.read_bytes().isascii()] == []
    assert [name(path) for path in SOURCES if path.stem in ("utils", "util", "helpers", "common", "misc")] == []
    assert [name(path) for path in PROGRAM if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []
