"""Parts of the comparison of built-in generators that need no pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from emogan_core.expressions import load_axes, save_axes


def test_error_axes_of_another_generator_are_told_at_once(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    save_axes(tmp_path / "axes.safetensors", replace(load_axes("builtin"), fingerprint="f" * 64))
    with pytest.raises(SystemExit, match=r"fitted on f{12}, the generator is"):
        script("builtin").opened("builtin", tmp_path / "axes.safetensors")


def test_golden_likeness_is_read_between_intensities(script: Callable[[str], ModuleType]) -> None:
    """Shares .25 and .75 with likeness .9 and .7: half a smile lies in the middle, at .8; .125 at .95 from 1 at 0."""
    mean_of, at_share = script("scores").mean_of, script("builtin").at_share
    shares, kept = ([mean_of(np.full(5, x)) for x in pair] for pair in ((0.25, 0.75), (0.9, 0.7)))
    assert at_share(shares, kept, 0.5).value == pytest.approx(0.8)
    assert at_share(shares, kept, 0.125).value == pytest.approx(0.95)
    assert at_share(shares, kept, 0.5).interval == pytest.approx((0.8, 0.8))


def test_golden_nearest_face_is_itself_or_the_next(script: Callable[[str], ModuleType]) -> None:
    images = torch.rand(6, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    nearest = script("builtin").nearest
    assert nearest(images, images) == pytest.approx(np.ones(6), abs=1e-5)
    assert nearest(images, images, itself=True).max() < 0.9


def test_golden_precision_and_recall_of_one_kind_in_two(script: Callable[[str], ModuleType]) -> None:
    """Real faces are of two kinds; samples of one of them all pass for real ones, and half of the real ones for them."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 4)) + np.repeat([[0.0], [50.0]], 100, axis=0)
    ours = real[:100] + rng.normal(size=(100, 4)) * 1e-3
    passing = script("builtin").passing
    assert passing(ours, real).mean() == 1
    assert passing(real, ours).tolist() == [1.0] * 100 + [0.0] * 100


def test_golden_people_are_told_apart_by_codes_that_agree(script: Callable[[str], ModuleType]) -> None:
    rng = torch.Generator().manual_seed(0)
    people = torch.randn(20, 1, 8, generator=rng).repeat_interleave(2, dim=0)
    names = [str(index // 2) for index in range(40)] + ["alone"]
    alone = torch.randn(1, 1, 8, generator=rng)
    told_apart = script("builtin").told_apart
    near = told_apart(torch.cat([people + 0.01 * torch.randn(40, 1, 8, generator=rng), alone]), names)
    assert len(near) == 40  # people with one picture only do not count
    assert near.min() == 1
    assert told_apart(torch.randn(41, 1, 8, generator=rng), names).mean() == pytest.approx(0.5, abs=0.1)


def test_invariance_degradations_keep_the_size_and_change_what_they_say(script: Callable[[str], ModuleType]) -> None:
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    degradations = script("degradations")
    changed = {name: degradations.degraded(images, one) for name, one in degradations.DEGRADATIONS.items()}
    assert {tuple(one.shape) for one in changed.values()} == {(2, 3, 128, 128)}
    assert changed["blurred"].std() < 0.3 * images.std()
    assert changed["dark"].mean() == pytest.approx(-0.5, abs=0.02)
    assert (changed["half covered"] - images)[..., 60:].abs().max() < 0.01
