"""What a picture saved by ComfyUI says about its edit: ComfyUI writes the whole workflow into it, our nodes among it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PIL import Image

PROMPT_KEY = "prompt"
MAX_BYTES = 4_000_000
_EXIF_MODEL = 0x0110  # where ComfyUI puts it in WebP
_PREFIX = "EmotionGAN_"
_EDITS = ("ApplyExpression", "FaceShapes", "CopyExpression", "ExpressionSweep", "SampleFaces")
_SLIDERS = ("ApplyExpression", "FaceShapes")  # whose every number is an intensity
_MOST = 100  # a stranger's number beyond it is no intensity
_TOLD = ("mode", "more", "neutral_first", "absolute", "brows", "eyes", "mouth", "strength", "keyframes", "easing")


def record_of_workflow(image: Image.Image) -> dict[str, object] | None:
    """The record of the edits that a saved picture went through, or None where no node of ours edited it.

    Convention: as `provenance.edit_record`, with "nodes", one table for each edit; expressions of several edits are added up.
    Linked inputs are left out: their numbers are elsewhere in the workflow. A damaged or oversized one counts as none.
    """
    prompt = _prompt_of(image)
    if prompt is None:
        return None
    saved: set[str] = set()
    for name, node in prompt.items():
        if _kind(node).startswith("Save"):
            saved |= _before(prompt, name)
    edits = [prompt[name] for name in sorted(saved) if _ours(prompt[name]) in _EDITS]
    if not edits:
        return None
    expressions: dict[str, float] = {}
    for node in edits:
        if _ours(node) in _SLIDERS:
            for name, value in node["inputs"].items():
                if isinstance(value, int | float) and not isinstance(value, bool) and 0 < abs(value) <= _MOST:
                    expressions[name] = expressions.get(name, 0.0) + float(value)
    told = [{"node": _ours(node)} | {key: node["inputs"][key] for key in _TOLD if _plain(node, key)} for node in edits]
    record: dict[str, object] = {"program": "EmotionGAN", "edited": True, "expressions": expressions, "nodes": told}
    return record | {"written_by": "ComfyUI"}


def _prompt_of(image: Image.Image) -> dict[str, dict[str, Any]] | None:
    """The nodes of the workflow by name, each with class_type and a table of inputs."""
    text = image.info.get(PROMPT_KEY)
    if text is None:
        text = _in_exif(image)
    if not isinstance(text, str) or not text or len(text) > MAX_BYTES:
        return None
    try:
        prompt = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(prompt, dict):
        return None
    return {
        name: node
        for name, node in prompt.items()
        if isinstance(node, dict) and isinstance(node.get("inputs"), dict) and isinstance(node.get("class_type"), str)
    }


def _in_exif(image: Image.Image) -> str:
    try:
        return str(image.getexif().get(_EXIF_MODEL, "")).removeprefix(f"{PROMPT_KEY}:")
    except Exception:  # EXIF is optional; a broken block must not cost the picture
        return ""


def _before(prompt: Mapping[str, Mapping[str, Any]], name: str) -> set[str]:
    """A node and all that it is made from."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        if at in found or at not in prompt:
            continue
        found.add(at)
        links = (value for value in prompt[at]["inputs"].values() if isinstance(value, list) and value)
        waiting += [str(link[0]) for link in links]
    return found


def _kind(node: Mapping[str, Any]) -> str:
    return str(node["class_type"])


def _ours(node: Mapping[str, Any]) -> str:
    """The name of a node of ours, without its prefix; "" for others."""
    return _kind(node).removeprefix(_PREFIX) if _kind(node).startswith(_PREFIX) else ""


def _plain(node: Mapping[str, Any], key: str) -> bool:
    value = node["inputs"].get(key)
    return isinstance(value, str | bool | int | float) and value not in ("", False)
