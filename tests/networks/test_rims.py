from __future__ import annotations

import pytest
import torch

from emogan_core.errors import ShapeError
from emogan_core.networks.rims import RIM_HEIGHT, RIM_WIDTH, RimNet


def test_shape_every_pixel_gets_an_answer() -> None:
    answer = RimNet().eval()(torch.zeros(2, 3, RIM_HEIGHT, RIM_WIDTH))
    assert answer.shape == (2, RIM_HEIGHT, RIM_WIDTH)


def test_error_pictures_of_another_size() -> None:
    with pytest.raises(ShapeError, match=r"\[n, 3, 96, 176\]"):
        RimNet()(torch.zeros(1, 3, 64, 64))
