"""What the registry shows of the pack, and that every place says the same version."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from emogan_core import __version__

ROOT = Path(__file__).parents[2]
ICON_PX = 400  # at most, says the registry
BANNER = 21 / 9


def settings(section: str) -> str:
    """A section of pyproject.toml, as text; Python 3.10 reads no TOML."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return text.split(f"[{section}]\n")[1].split("\n[")[0]


def test_golden_every_place_says_the_same_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, flags=re.MULTILINE)[0] == __version__
    assert f'version = "{__version__}"' in settings("project")
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_shape_icon_and_banner_are_as_the_registry_wants_them() -> None:
    with Image.open(ROOT / "docs/icon.png") as icon, Image.open(ROOT / "docs/banner.jpg") as banner:
        assert icon.width == icon.height <= ICON_PX
        assert banner.width / banner.height == BANNER


def test_shape_the_registry_finds_what_it_needs() -> None:
    for name in ("PublisherId", "DisplayName", "requires-comfyui", "web"):
        assert f"{name} = " in settings("tool.comfy")
    accelerators = re.findall(r'"Environment :: ([^"]+)"', settings("project"))
    assert all(one.startswith(("GPU ::", "NPU ::")) for one in accelerators)  # it drops all of them otherwise
