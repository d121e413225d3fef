"""The mouth: finds where closed lips meet, parts them as far as the generator asks, and leaves open mouths alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emogan_core.compose.mouth import (
    EDGE,
    SIDE,
    MouthConfig,
    Opening,
    between,
    calmed,
    find_lips,
    opening_of,
    parting,
    softness,
)
from emogan_core.faces import Crop, frame_quad

LANDMARKS = np.array([[80.0, 70.0], [140.0, 70.0], [110.0, 100.0], [86.0, 130.0], [134.0, 130.0]])
CROP = Crop(quad=frame_quad(LANDMARKS, "tight"), landmarks=LANDMARKS, frame="tight")
PLACE = CROP.from_photo(SIDE)
CORNERS = LANDMARKS[3:5] @ PLACE[:, :2].T + PLACE[:, 2]
SAG = 5.0
CONFIG = MouthConfig()
CHANGED = {"gain": 2.0, "least": 0.01, "width": 0.5, "reach": 0.3, "calm": 0.1}


def grid() -> tuple[torch.Tensor, torch.Tensor]:
    along = torch.arange(SIDE) + 0.5
    return along.view(-1, 1).expand(SIDE, SIDE), along.view(1, -1).expand(SIDE, SIDE)


def true_line() -> torch.Tensor:
    """[SIDE]: a mouth line that sags between the corners."""
    share = (torch.arange(SIDE) + 0.5 - CORNERS[0, 0]) / (CORNERS[1, 0] - CORNERS[0, 0])
    return torch.tensor(CORNERS[0, 1]) + SAG * (1 - (2 * share - 1) ** 2).clamp_min(0)


def face(*, teeth: bool = False, gray: bool = False) -> torch.Tensor:
    """Skin with red lips on both sides of a dark line, or with pale teeth below it."""
    ys, xs = grid()
    below = ys - true_line().view(1, -1)
    inside = ((xs > CORNERS[0, 0]) & (xs < CORNERS[1, 0])).float()
    lips = ((below.abs() < 14).float() * inside).view(1, 1, SIDE, SIDE)
    line = (torch.exp(-((below / 1.5) ** 2)) * inside).view(1, 1, SIDE, SIDE)
    bright = ((below > 1) & (below < 10)).float().view(1, 1, SIDE, SIDE) * lips
    image = torch.tensor([0.4, 0.1, -0.05]).view(1, 3, 1, 1) * (1 - lips) + lips * torch.tensor(
        [0.2, -0.25, -0.2]
    ).view(1, 3, 1, 1)
    if teeth:
        image = image * (1 - bright) + bright * torch.tensor([0.8, 0.75, 0.7]).view(1, 3, 1, 1)
    image = image - 0.5 * line
    return image.mean(1, keepdim=True).expand(1, 3, SIDE, SIDE) if gray else image.expand(1, 3, SIDE, SIDE)


def shading(strength: float) -> torch.Tensor:
    """New brightness along the mouth line, [1, 3, 96, 96]."""
    ys, _ = grid()
    hill = torch.exp(-(((ys - true_line().view(1, -1)) / 6) ** 2)) * strength
    return torch.nn.functional.interpolate(hill.view(1, 1, SIDE, SIDE), size=96, mode="area").expand(1, 3, 96, 96)


def opened(strength: float, *, image: torch.Tensor | None = None, config: MouthConfig = CONFIG) -> Opening | None:
    own = face() if image is None else image
    return opening_of(own, shading(strength), torch.zeros(1, 2, 96, 96), CROP, config=config)


def test_golden_line_between_the_lips() -> None:
    lips = find_lips(face(), CROP)
    columns = slice(int(CORNERS[0, 0]) + 4, int(CORNERS[1, 0]) - 4)
    assert (lips.line - true_line())[columns].abs().max() < 2.0
    assert lips.closed == 1.0


def test_golden_an_open_mouth_is_not_closed() -> None:
    assert find_lips(face(teeth=True), CROP).closed < 0.05


def test_invariance_open_mouths_and_small_news_stay() -> None:
    assert opened(0.3, image=face(teeth=True)) is None
    assert opened(0.0) is None


def test_golden_brightness_shows_teeth_and_darkness_a_dark_mouth() -> None:
    teeth, dark = opened(0.3), opened(-0.3)
    assert teeth is not None
    assert dark is not None
    assert teeth.colour.mean() > 0.2 > -0.6 > dark.colour.mean()


def test_golden_gap_grows_with_the_news() -> None:
    gaps = [float(opening.gap.max()) for opening in (opened(0.1), opened(0.2), opened(0.4)) if opening is not None]
    assert len(gaps) == 3
    assert gaps == sorted(gaps)
    assert gaps[0] < gaps[2] / 2


def test_golden_the_outline_is_as_soft_as_the_photo(rng: torch.Generator) -> None:
    """Skin with pores keeps the sharp outline; the same face enlarged from 32 px gets one five times as soft."""
    pores = face() + 0.1 * torch.randn(1, 3, SIDE, SIDE, generator=rng)
    small = F.interpolate(F.interpolate(pores, size=32, mode="area"), size=SIDE, mode="bicubic")
    assert softness(pores) == 0
    assert softness(small) > 0.9
    sharp, soft = opened(0.3, image=pores), opened(0.3, image=small)
    assert sharp is not None
    assert soft is not None
    assert sharp.edge == pytest.approx(EDGE)
    assert soft.edge > 4 * EDGE


def test_invariance_gray_photos_get_gray_teeth() -> None:
    opening = opened(0.3, image=face(gray=True))
    assert opening is not None
    assert opening.colour.max() - opening.colour.min() < 1e-6


@pytest.mark.parametrize("field", [field.name for field in fields(MouthConfig)])
def test_invariance_every_setting_is_felt(field: str) -> None:
    usual, changed = opened(0.3), opened(0.3, config=replace(CONFIG, **{field: CHANGED[field]}))
    assert usual is not None
    assert changed is not None
    flows = [calmed(jagged(), CROP, config=replace(CONFIG, **change)) for change in ({}, {field: CHANGED[field]})]
    felt = [not torch.equal(usual.gap, changed.gap), usual.reach != changed.reach, not torch.equal(*flows)]
    assert sum(felt) == 1


def jagged() -> torch.Tensor:
    return torch.randn(1, 2, 96, 96, generator=torch.Generator().manual_seed(4))


def test_invariance_motion_is_calmed_between_the_lips_only() -> None:
    flow, calm = jagged(), calmed(jagged(), CROP, config=CONFIG)
    x, y = (int(value * 96 / SIDE) for value in CORNERS.mean(0))
    assert calm[0, :, y - 2 : y + 2, x - 3 : x + 3].std() < 0.5 * flow[0, :, y - 2 : y + 2, x - 3 : x + 3].std()
    torch.testing.assert_close(calm[..., :40, :], flow[..., :40, :])


def test_golden_lips_part_by_half_the_gap_each() -> None:
    below = torch.tensor([-1.0, -0.5, -0.1001, 0.1001, 0.5, 1.0])
    source = below + parting(below, torch.full_like(below, 0.2), 1.0)
    torch.testing.assert_close(source[2:4], torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(source[[0, 5]], below[[0, 5]])
    assert (source.diff() >= 0).all()
    assert not parting(below, torch.zeros_like(below), 1.0).any()


def test_shape_filling_is_opaque_only_between_the_lips() -> None:
    below = torch.linspace(-0.2, 0.2, 41).view(-1, 1).expand(41, 5)
    gap = torch.full_like(below, 0.1)
    opacity, colour = between(below, gap, torch.zeros_like(below), torch.tensor([0.6, 0.5, 0.4]), 0.004)
    assert colour.shape == (41, 5, 3)
    assert (opacity[below.abs() > 0.06] == 0).all()
    assert (opacity[below.abs() < 0.04] == 1).all()
    assert not between(below, torch.zeros_like(gap), torch.zeros_like(below), torch.zeros(3), 0.004)[0].any()
