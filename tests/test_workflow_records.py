"""The edit that a picture saved by ComfyUI tells of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from emogan_core.images import Photo, read_record, save_photo
from emogan_core.provenance import edit_record

EDIT = {"image": ["1", 0], "inversion": ["2", 0], "happiness": 0.5, "anger": 0.0, "draft": False, "mode": "motion"}
PROMPT: dict[str, dict[str, Any]] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "me.png"}},
    "2": {"class_type": "EmotionGAN_InvertFace", "inputs": {"image": ["1", 0], "face": 2, "steps": 60}},
    "3": {"class_type": "EmotionGAN_ApplyExpression", "inputs": EDIT},
    "4": {"class_type": "EmotionGAN_FaceShapes", "inputs": {"image": ["3", 0], "happiness": 0.25, "jawOpen": 1}},
    "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "x"}},
}


def saved(path: Path, prompt: object, **options: Any) -> Path:
    """A picture as ComfyUI saves it."""
    info = PngInfo()
    info.add_text("prompt", prompt if isinstance(prompt, str) else json.dumps(prompt))
    Image.new("RGB", (4, 4)).save(path, pnginfo=info, **options)
    return path


def test_golden_edits_before_the_saved_picture(tmp_path: Path) -> None:
    assert read_record(saved(tmp_path / "a.png", PROMPT)) == {
        "program": "EmotionGAN",
        "edited": True,
        "expressions": {"happiness": 0.75, "jawOpen": 1.0},
        "nodes": [{"node": "ApplyExpression", "mode": "motion"}, {"node": "FaceShapes"}],
        "written_by": "ComfyUI",
    }


def test_golden_webp_holds_it_in_exif(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 4))
    exif = image.getexif()
    exif[0x0110] = "prompt:" + json.dumps(PROMPT)
    image.save(tmp_path / "a.webp", exif=exif)
    record = read_record(tmp_path / "a.webp")
    assert record is not None
    assert record["expressions"] == {"happiness": 0.75, "jawOpen": 1.0}


def test_invariance_a_picture_that_no_edit_leads_to_has_none(tmp_path: Path) -> None:
    before = PROMPT | {"5": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}
    assert read_record(saved(tmp_path / "a.png", before)) is None


@pytest.mark.parametrize(
    "prompt",
    ["", "{", "[]", "[" * 20_000, '{"1": 2}', {"1": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}],
)
def test_error_a_damaged_workflow_counts_as_none(tmp_path: Path, prompt: object) -> None:
    assert read_record(saved(tmp_path / "a.png", prompt)) is None


def test_invariance_wild_numbers_are_no_intensities(tmp_path: Path) -> None:
    wild = json.dumps(PROMPT).replace("0.5", "NaN").replace("0.25", "1" + 400 * "0")
    record = read_record(saved(tmp_path / "a.png", wild))
    assert record is not None
    assert record["expressions"] == {"jawOpen": 1.0}


def test_invariance_a_record_of_ours_goes_first(tmp_path: Path) -> None:
    record = edit_record({"fear": 1.0}, generator="g", axes=None)
    save_photo(tmp_path / "a.png", Photo(np.zeros((4, 4, 3), np.uint8)), record=record)
    assert read_record(tmp_path / "a.png") == record
