"""Inversions kept in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny_faces import tiny_face
from tiny_models import portrait

from emogan_core.compose import put_back
from emogan_core.errors import CheckpointError, ShapeError
from emogan_core.expressions import apply_expressions, load_axes
from emogan_core.face_model import FaceFit
from emogan_core.inversion import Inversion, OptimiseConfig, invert, load_inversion, save_inversion


@pytest.fixture(scope="module")
def inversion(tiny) -> Inversion:
    return invert(tiny, portrait(), method="encode", config=OptimiseConfig(steps=1))


def test_invariance_an_edit_of_what_was_kept_is_the_same(tiny, inversion: Inversion, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_inversion(path, inversion, notes={"places": "[1]"})
    again, notes = load_inversion(path)
    assert notes == {"places": "[1]"}
    assert again.crops is not None
    assert inversion.crops is not None
    assert np.array_equal(again.crops[0].quad, inversion.crops[0].quad)
    assert again.metrics == inversion.metrics
    assert torch.equal(again.latent.ws, inversion.latent.ws)
    assert again.latent.fingerprint == inversion.latent.fingerprint
    edited = [
        put_back(tiny, portrait(), one, apply_expressions(one, load_axes(), {"jawOpen": 0.5}))
        for one in (inversion, again)
    ]
    assert np.array_equal(edited[0].photo.pixels, edited[1].photo.pixels)
    assert inversion.faces is not None
    assert again.faces is not None
    for kept in ("identity", "coefficients", "landmarks", "residual"):
        assert np.array_equal(getattr(again.faces[0], kept), getattr(inversion.faces[0], kept))
    assert np.array_equal(again.faces[0].pose.rotation, inversion.faces[0].pose.rotation)
    still = put_back(tiny, portrait(), again, apply_expressions(again, load_axes(), {}))
    assert np.array_equal(still.photo.pixels, portrait().pixels)


def test_error_pictures_that_were_already_cut(inversion: Inversion, tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="invert the photo itself"):
        save_inversion(tmp_path / "one.safetensors", replace(inversion, crops=None))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda tensors, metadata: metadata.update(format="other"), "is no inversion .format 'other'."),
        (lambda tensors, metadata: metadata.update(metrics="[]"), "describes itself wrongly"),
        (lambda tensors, metadata: metadata.update(frame="wide"), "describes itself wrongly"),
        (lambda tensors, metadata: metadata.update(crops="[[1, 2]]"), "describes itself wrongly"),
        (lambda tensors, metadata: metadata.update(crops="[]"), "describes itself wrongly"),
        (lambda tensors, metadata: metadata.pop("fingerprint"), "describes itself wrongly"),
        (lambda tensors, metadata: tensors.pop("ws"), "has ws of shape None"),
        (lambda tensors, metadata: tensors.update(poses=torch.zeros(1, 11)), "has poses of shape"),
        (lambda tensors, metadata: tensors.update(landmarks=torch.zeros(2, 478, 2)), "has landmarks of shape"),
        (lambda tensors, metadata: tensors.update(identity=tensors["identity"] * torch.nan), "NaN or infinite"),
    ],
)
def test_error_another_or_a_damaged_file(inversion: Inversion, tmp_path: Path, change, sentence: str) -> None:
    path = tmp_path / "one.safetensors"
    save_inversion(path, inversion)
    with safe_open(str(path), framework="pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata())  # noqa: SIM118
    change(tensors, metadata)
    save_file(tensors, str(path), metadata=metadata)
    with pytest.raises(CheckpointError, match=sentence):
        load_inversion(path)


def test_shape_several_faces_are_kept_in_order(inversion: Inversion, tmp_path: Path) -> None:
    fits = [tiny_face({"jawOpen": level})[1] for level in (0.0, 0.5)]
    assert inversion.crops is not None
    two = Inversion(
        latent=replace(inversion.latent, ws=inversion.latent.ws.expand(2, -1, -1)),
        target=inversion.target.expand(2, -1, -1, -1),
        reconstruction=inversion.reconstruction.expand(2, -1, -1, -1),
        crops=inversion.crops * 2,
        metrics={"psnr_db": (1.0, 2.0)},
        faces=tuple(fits),
    )
    save_inversion(tmp_path / "two.safetensors", two)
    again, _ = load_inversion(tmp_path / "two.safetensors")
    assert again.faces is not None
    assert [_open(fit) for fit in again.faces] == [0.0, 0.5]


def _open(fit: FaceFit) -> float:
    return round(float(fit.coefficients.max()), 4)
