"""Masks: soft, placed by the landmarks, and nothing at the border of the crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emogan_core.compose.masks import face_mask
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
