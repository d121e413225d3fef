"""What the host's Python must offer before any node can be loaded."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

NEEDED = {
    "torch": "torch",
    "numpy": "numpy",
    "PIL": "pillow",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "safetensors": "safetensors",
}
"""Import name -> name for pip."""


def advice_on_missing(needed: Mapping[str, str] = NEEDED) -> str | None:
    """One sentence that names what is missing and the command that installs it, or None when all is there."""
    missing = [package for module, package in needed.items() if find_spec(module) is None]
    if not missing:
        return None
    listed = Path(__file__).resolve().parents[1] / "requirements.txt"
    return (
        f"EmotionGAN is off because {' and '.join(missing)} cannot be found by ComfyUI's Python; install with "
        f'"{sys.executable}" -m pip install -r "{listed}" and start ComfyUI again'
    )
