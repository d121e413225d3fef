"""Masks: soft, placed by the landmarks, and nothing at the border of the crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emogan_core.compose.masks import face_mask, frontality, mouth_mask
from emogan_core.faces import Crop, frame_quad

LANDMARKS = np.array([[80.0, 90.0], [140.0, 90.0], [110.0, 125.0], [88.0, 150.0], [132.0, 150.0]])


def crop_of(frame: str) -> Crop:
    return Crop(quad=frame_quad(LANDMARKS, frame), landmarks=LANDMARKS, frame=frame)


@pytest.mark.parametrize("frame", ["tight", "ffhq"])
@pytest.mark.parametrize("side", [32, 128])
def test_shape_soft_oval_with_nothing_at_the_border(frame: str, side: int) -> None:
    mask = face_mask(crop_of(frame), side, feather=0.25)
    assert mask.shape == (1, 1, side, side)
    assert mask.min() == 0
    assert mask.max() == 1
    edge = torch.cat([mask[..., 0, :], mask[..., -1, :], mask[..., 0], mask[..., -1]])
    assert (edge == 0).all()


def test_invariance_frames_agree_on_the_photo() -> None:
    tight, wide = crop_of("tight"), crop_of("ffhq")
    where = wide.from_photo(256)
    for point in LANDMARKS:
        x, y = where[:, :2] @ point + where[:, 2]
        assert face_mask(wide, 256, feather=0.25)[0, 0, int(y), int(x)] > 0.9
    areas = [float(face_mask(crop, 128, feather=0.25).mean()) * crop.side_px**2 for crop in (tight, wide)]
    assert areas[0] == pytest.approx(areas[1], rel=0.1)


def test_golden_mouth_lies_at_the_mouth() -> None:
    crop = crop_of("tight")
    mask = mouth_mask(crop, 128, width=0.62, height=0.45, feather=0.5)[0, 0]
    place = crop.from_photo(128)
    x, y = place[:, :2] @ LANDMARKS[3:5].mean(0) + place[:, 2]
    ys, xs = torch.meshgrid(*[torch.arange(128) + 0.5] * 2, indexing="ij")
    assert float((mask * xs).sum() / mask.sum()) == pytest.approx(x, abs=0.5)
    assert float((mask * ys).sum() / mask.sum()) == pytest.approx(y, abs=0.5)
    assert mask[0].max() == 0


def test_invariance_quarter_turn_turns_with_the_face() -> None:
    crop = crop_of("tight")
    turned = Crop(quad=np.roll(crop.quad, -1, axis=0), landmarks=LANDMARKS, frame="tight")
    mask, sideways = (mouth_mask(one, 64, width=0.62, height=0.45, feather=0.5)[0, 0] for one in (crop, turned))
    torch.testing.assert_close(sideways, torch.rot90(mask), atol=1e-4, rtol=1e-4)


def test_golden_turned_faces_are_not_frontal() -> None:
    shares = []
    for aside in (0.0, 8.0, 40.0):
        landmarks = LANDMARKS + np.array([[0, 0], [0, 0], [aside, 0], [0, 0], [0, 0]])
        shares.append(frontality(Crop(quad=frame_quad(landmarks, "tight"), landmarks=landmarks, frame="tight")))
    assert shares[0] == 1.0 > shares[1] > shares[2] == 0.0
