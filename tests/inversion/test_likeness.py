"""The user's networks in an inversion: what they find different becomes less, and is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from likeness_files import write_networks

from emogan_core.checkpoints.likeness import load_perceptual, load_recogniser
from emogan_core.faces.align import RECOGNISED, RECOGNISED_PX, recognised_quad
from emogan_core.inversion import Likeness, OptimiseConfig, Weights, invert_images, need_of
from emogan_core.networks import Generator

NAMES = {"perceptual": "perceptual_distance", "identity": "identity_distance"}
ALONE = Weights(pixel=0.0, structure=0.0, features=0.0, w_distance=0.0, layer_spread=0.0, locality=0.0)


@pytest.fixture(scope="module")
def likeness(tmp_path_factory: pytest.TempPathFactory) -> Likeness:
    perceptual, recogniser = write_networks(tmp_path_factory.mktemp("networks"))
    return Likeness(load_perceptual(perceptual), load_recogniser(recogniser))


@pytest.fixture(scope="module")
def images(tiny: Generator) -> torch.Tensor:
    z = torch.randn(2, 16, generator=torch.Generator().manual_seed(12))
    return tiny.synthesis(tiny.mapping(z, psi=0.8)).clamp(-1, 1)


@pytest.mark.parametrize("method", ["optimise", "tune"])
@pytest.mark.parametrize("name", NAMES)
def test_invariance_what_is_minimised_becomes_less(
    tiny: Generator, images: torch.Tensor, likeness: Likeness, name: str, method: str
) -> None:
    only = Likeness(**{name: getattr(likeness, name)})
    one = OptimiseConfig(steps=1, hybrid_steps=1, tune_steps=1, weights=ALONE, likeness=only)
    many = replace(one, steps=12, tune_steps=8)
    before, after = (
        invert_images(tiny, images, method=method, config=config).metrics[NAMES[name]] for config in (one, many)
    )
    assert set(NAMES.values()) & set(invert_images(tiny, images, method="encode", config=one).metrics) == {NAMES[name]}
    assert all(0 <= late < early for early, late in zip(before, after, strict=True))


def test_invariance_networks_of_no_weight_have_no_say(
    tiny: Generator, images: torch.Tensor, likeness: Likeness
) -> None:
    config = OptimiseConfig(steps=4)
    silent = replace(config, likeness=likeness, weights=Weights(perceptual=0.0, identity=0.0))
    plain, told = (invert_images(tiny, images, method="optimise", config=one) for one in (config, silent))
    torch.testing.assert_close(plain.latent.ws, told.latent.ws)
    assert set(told.metrics) - set(plain.metrics) == set(NAMES.values())


def test_invariance_what_is_ignored_has_no_say(tiny: Generator, images: torch.Tensor, likeness: Likeness) -> None:
    ignored = torch.zeros(2, 1, 32, 32)
    ignored[..., 20:, :] = 1
    covered = torch.where(ignored > 0, -torch.ones(()), images)
    config = OptimiseConfig(steps=1, likeness=likeness)
    one, other = (
        invert_images(tiny, pictures, method="optimise", ignored=ignored, config=config).metrics
        for pictures in (images, covered)
    )
    for name in NAMES.values():
        np.testing.assert_allclose(one[name], other[name], atol=1e-4)


def test_invariance_inside_inference_mode(tiny: Generator, images: torch.Tensor, likeness: Likeness) -> None:
    config = OptimiseConfig(hybrid_steps=2, likeness=likeness)
    with torch.inference_mode():
        inversion = invert_images(tiny, images.clone(), config=config)
    assert set(NAMES.values()) <= set(inversion.metrics)
    assert need_of(tiny, "hybrid", likeness=likeness).each > need_of(tiny, "hybrid").each


def test_golden_a_face_is_cut_as_recognisers_know_it() -> None:
    """A face that lies as the training pictures of ArcFace is taken whole; turned and enlarged, so is its square."""
    places = np.array(RECOGNISED) + 0.5
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * RECOGNISED_PX
    np.testing.assert_allclose(recognised_quad(places), square, atol=1e-9)
    turn = 3 * np.array([[0.8, 0.6], [-0.6, 0.8]])
    np.testing.assert_allclose(recognised_quad(places @ turn + 40), square @ turn + 40, atol=1e-9)
