"""The shipped face model: its size, its names, its symmetry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emogan_core.errors import CheckpointError
from emogan_core.face_model import PARTS, load_face_model
from emogan_core.face_model.model import read_face_model
from emogan_core.face_model.names import mirror_order
from emogan_core.weights import builtin_path


def test_shape_what_ships() -> None:
    model = load_face_model()
    assert builtin_path("face_model.safetensors").stat().st_size < 6e6
    assert builtin_path("FACE_MODEL_LICENSE.txt").read_text().startswith("MIT License")
    assert len(model.names) == len(set(model.names)) == len(model.expressions) == 55
    assert {"browInnerUpLeft", "jawOpen", "mouthSmileRight", "eyeBlinkLeft"} <= set(model.names)
    assert model.neutral.shape == (23823, 3)
    assert model.triangles.max() < len(model.neutral)
    assert set(np.unique(model.triangle_part)) == set(range(len(PARTS)))
    assert model.face_vertices == 9409


def test_invariance_left_shapes_mirror_right_ones() -> None:
    """A mirrored face: each vertex has a partner across x = 0; shapes with sides swap."""
    model = load_face_model()
    skin = model.neutral[: model.face_vertices]
    mirrored = skin * (-1, 1, 1)
    partner = np.array([np.argmin(((skin - point) ** 2).sum(1)) for point in mirrored[::50]])
    for k, other in enumerate(mirror_order(model.names)):
        own = model.expressions[k][: model.face_vertices][::50] * (-1, 1, 1)
        np.testing.assert_allclose(own, model.expressions[other][partner], atol=0.08)  # of up to 4 cm, as published


def test_shape_the_left_is_the_persons_left() -> None:
    model = load_face_model()
    moved = np.abs(model.expressions[model.index("mouthSmileLeft")]).sum(1)
    assert model.neutral[moved > 0.5][:, 0].min() > -0.5  # x runs to the person's left


def test_error_another_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no face model"):
        read_face_model(builtin_path("landmarks.safetensors"))
