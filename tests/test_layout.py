"""Who may import whom, and what appears nowhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "emogan_core"
LAYERS = (
    {"errors", "progress", "latents", "devices", "files", "weights", "images", "provenance", "free_memory"}
    | {"decoding", "depth", "metadata", "workflow_records"},  # of pictures
    {"networks", "face_model", "glm"},
    {"faces", "checkpoints"},
    {"inversion"},
    {"compose", "expressions"},
    {"comparing", "sheets"},
    {"training"},  # above sheets, on which recipes show what they made; imported by nobody
    {
        "cli",
        "commands",
        "fit_arguments",
        "progress_bar",
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


def expect_no_circles(knows: Mapping[str, set[str]]) -> None:
    while knows:
        free = {module for module, others in knows.items() if not others & set(knows)}
        assert free, f"these import each other in a circle: {sorted(knows)}"
        knows = {module: others for module, others in knows.items() if module not in free}


def test_shape_every_package_has_a_layer() -> None:
    here = {package_of(path) for path in CORE_FILES}
    assert here - set(LAYER_OF) <= {"builtin"}


@pytest.mark.parametrize("path", CORE_FILES, ids=name)
def test_invariance_imports_point_down(path: Path) -> None:
    """A package sees only lower layers; within the lowest and the highest layer modules may import each other."""
    package = package_of(path)
    if package == "builtin":
        assert not packages_known_to(path)
        return
    layer = LAYER_OF[package]
    for other in packages_known_to(path) - {package}:
        is_neighbour = LAYER_OF[other] == layer and layer in (0, len(LAYERS) - 1)
        assert LAYER_OF[other] < layer or is_neighbour, f"{name(path)} must not import {other}"
        assert other != "training", f"{name(path)} must not import training, which is not in the published archive"


def test_invariance_the_lowest_layer_has_no_circles() -> None:
    expect_no_circles({module: packages_known_to(CORE / f"{module}.py") - {module} for module in LAYERS[0]})


@pytest.mark.parametrize("package", sorted(package for package in LAYER_OF if (CORE / package).is_dir()))
def test_invariance_no_package_has_circles(package: str) -> None:
    """Among a package's own modules, those in folders of its own included; what types alone need is no import."""
    folder, prefix = CORE / package, f"emogan_core.{package}."
    modules = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path
        for path in folder.rglob("*.py")
        if path != folder / "__init__.py"
    }

    def known(names: Iterator[str]) -> set[str]:
        """Modules out of imported names: the longest part that is one."""
        inside = [imported.removeprefix(prefix).split(".") for imported in names if imported.startswith(prefix)]
        starts = ([".".join(parts[:end]) for end in range(len(parts), 0, -1)] for parts in inside)
        return {
            next(start for start in several if start in modules) for several in starts if set(several) & set(modules)
        }

    expect_no_circles(
        {module: known(imports(path)) - {module} - known(for_types(path)) for module, path in modules.items()}
    )


@pytest.mark.parametrize("path", CORE_FILES, ids=name)
def test_invariance_the_core_knows_no_host(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & {"comfy", "comfy_api", "comfy_extras", "nodes", "folder_paths", "execution", "server"}
    if package_of(path) == "glm":
        assert "torch" not in tops


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_invariance_nothing_that_runs_a_strangers_code(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for node in ast.walk(tree(path)):
        spelled = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        assert spelled not in ("torch.load", "torch.save", "torch.hub", "os.system"), f"{spelled} in {name(path)}"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec"), f"{called} in {name(path)}"
            assert not called.endswith(".load_state_dict") or "strict=False" not in ast.unparse(node)
            assert "allow_pickle=True" not in ast.unparse(node)


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_invariance_randomness_is_handed_in(path: Path) -> None:
    """Only training, a process of its own, may seed the global generator, for the layers' initial weights."""
    if path.parent.name == "training":
        return
    used = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert not used & {"torch.manual_seed", "np.random.seed", "np.random.rand", "np.random.randn", "random.seed"}


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_invariance_no_network(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & {"urllib", "http", "requests", "socket", "httpx", "huggingface_hub", "gdown"}


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_invariance_every_error_has_words(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        called = isinstance(node.exc, ast.Call)
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        spelled = raised.attr if isinstance(raised, ast.Attribute) else getattr(raised, "id", "")
        if not spelled[:1].isupper() or spelled in ("Cancelled", "KeyboardInterrupt", "StopIteration"):
            continue  # a caught error raised again, or a signal rather than an error
        assert called, f"{name(path)}:{node.lineno} raises {spelled} without a word"
        assert isinstance(node.exc, ast.Call)
        assert node.exc.args or node.exc.keywords, f"{name(path)}:{node.lineno} raises {spelled} without a word"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_shape_sources_are_plain(path: Path) -> None:
    assert path.read_bytes().isascii(), f"{name(path)} holds characters beyond ASCII"
    assert path.stem not in ("utils", "util", "helpers", "common", "misc")
    if path in PROGRAM:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
