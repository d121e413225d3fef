"""The entry point of the pack: harmless without ComfyUI, one sentence when a dependency is missing."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def open_door(name: str) -> ModuleType:
    """The pack, loaded the way ComfyUI loads it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_shape_without_comfyui_the_pack_imports_and_does_nothing() -> None:
    script = (
        "import importlib.util, sys; "
        f"spec = importlib.util.spec_from_file_location('pack', {str(ROOT / '__init__.py')!r}, "
        f"submodule_search_locations=[{str(ROOT)!r}]); "
        "pack = importlib.util.module_from_spec(spec); sys.modules['pack'] = pack; spec.loader.exec_module(pack); "
        "assert not hasattr(pack, 'comfy_entrypoint') and not hasattr(pack, 'NODE_CLASS_MAPPINGS'); "
        "assert 'torch' not in sys.modules and 'pack.nodes' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, cwd=ROOT.parent
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_shape_the_door_leads_to_the_help_pages() -> None:
    assert (ROOT / open_door("pack_for_help").WEB_DIRECTORY / "docs").is_dir()


def test_error_a_missing_dependency_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = importlib.util.find_spec

    def pretended(name: str, package: str | None = None) -> object:
        return None if name == "skimage" else object() if name == "comfy_api" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", pretended)
    latest = ModuleType("comfy_api.latest")
    vars(latest).update(ComfyExtension=object, io=None)
    monkeypatch.setitem(sys.modules, "comfy_api", ModuleType("comfy_api"))
    monkeypatch.setitem(sys.modules, "comfy_api.latest", latest)
    pack = open_door("pack_without_skimage")
    (said,) = caplog.messages
    assert said.startswith("EmotionGAN is off because scikit-image cannot be found")
    assert "-m pip install -r" in said
    assert "\n" not in said
    assert asyncio.run(pack.comfy_entrypoint().get_node_list()) == []
    assert "pack_without_skimage.nodes.extension" not in sys.modules
