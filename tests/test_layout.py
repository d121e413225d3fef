"""The house keeps its floors: who may import whom, and what appears nowhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "emogan_core"
FLOORS = (
    {
        "errors",
        "progress",
        "latents",
        "devices",
        "files",
        "weights",
        "images",
        "decoding",
        "depth",
        "metadata",
        "provenance",
        "workflow_records",
        "free_memory",
    },
    {"networks", "face_model", "glm"},
    {"faces", "checkpoints"},
    {"inversion"},
    {"compose", "expressions"},
    {"comparing", "sheets"},
    {"training"},  # half a floor above sheets: recipes lay what they made out on sheets, and nobody imports them
    {
        "cli",
        "commands",
        "progress_bar",
        "__main__",
        "__init__",
    },  # the roof: commands does what cli has read; progress_bar shows how far
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SOURCES = sorted(
    path for folder in ("emogan_core", "nodes", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
PROGRAM = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in ("emogan_core", "nodes")]
CORE_FILES = [path for path in PROGRAM if CORE in path.parents]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every imported module, absolute: emogan_core.faces.align, torch, ..."""
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
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_known_to(path: Path) -> set[str]:
    parts = (module.split(".") for module in imports(path))
    return {part[1] for part in parts if part[0] == "emogan_core" and len(part) > 1 and part[1] in FLOOR_OF}


def test_shape_every_room_has_a_floor() -> None:
    here = {room_of(path) for path in CORE_FILES}
    assert here - set(FLOOR_OF) <= {"builtin"}


@pytest.mark.parametrize("path", CORE_FILES, ids=name)
def test_invariance_imports_point_down(path: Path) -> None:
    """A room sees only lower floors; on the ground floor the nouns may speak of each other."""
    room = room_of(path)
    if room == "builtin":
        assert not rooms_known_to(path)
        return
    floor = FLOOR_OF[room]
    for other in rooms_known_to(path) - {room}:
        is_neighbour = FLOOR_OF[other] == floor and floor in (0, len(FLOORS) - 1)
        assert FLOOR_OF[other] < floor or is_neighbour, f"{name(path)} must not import {other}"
        assert other != "training", f"{name(path)} must not import training, which is not in the published archive"


def test_invariance_the_ground_floor_has_no_circles() -> None:
    knows = {room: rooms_known_to(CORE / f"{room}.py") - {room} for room in FLOORS[0]}
    while knows:
        free = {room for room, others in knows.items() if not others & set(knows)}
        assert free, f"these import each other in a circle: {sorted(knows)}"
        knows = {room: others for room, others in knows.items() if room not in free}


@pytest.mark.parametrize("room", sorted(room for room in FLOOR_OF if (CORE / room).is_dir()))
def test_invariance_no_room_has_circles(room: str) -> None:
    """Among a room's own modules; what types alone need is no import."""
    folder = CORE / room
    modules = {path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}
    prefix = f"emogan_core.{room}."
    knows = {
        stem: {module.removeprefix(prefix).split(".")[0] for module in imports(path) if module.startswith(prefix)}
        - {stem}
        - {module.removeprefix(prefix).split(".")[0] for module in for_types(path)}
        for stem, path in modules.items()
    }
    while knows:
        free = {stem for stem, others in knows.items() if not others & set(knows)}
        assert free, f"these import each other in a circle: {sorted(knows)}"
        knows = {stem: others for stem, others in knows.items() if stem not in free}


@pytest.mark.parametrize("path", CORE_FILES, ids=name)
def test_invariance_the_core_knows_no_host(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & {"comfy", "comfy_api", "comfy_extras", "nodes", "folder_paths", "execution", "server"}
    if room_of(path) == "glm":
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
