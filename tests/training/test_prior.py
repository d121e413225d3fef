"""The fitted distribution of codes: a flow, and a mapping network regressed on it."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.networks.mapping import normalised
from emogan_core.training import prior
from emogan_core.training.data import read_faces
from emogan_core.training.prior import (
    Flow,
    MappingRegressor,
    directions_of,
    fit_flow,
    fit_prior,
    fit_regressor,
    integrate,
)
from emogan_core.training.recipe import PRESETS, TrainConfig
from emogan_core.training.run import Run


def test_invariance_an_untrained_flow_leaves_noise_as_it_is(rng: torch.Generator) -> None:
    noise = torch.randn(50, 8, generator=rng)
    torch.testing.assert_close(integrate(Flow(8, rng, width=16).eval(), noise, steps=64), noise, atol=5e-3, rtol=0)


@pytest.mark.slow
def test_golden_a_flow_learns_two_kinds(rng: torch.Generator) -> None:
    """Codes that are -1 or +1 in one direction: of a normal distribution a third lies within 0.43 of the middle."""
    kinds = torch.randint(2, (400, 1), generator=rng) * 2.0 - 1
    x = torch.cat([kinds + 0.05 * torch.randn(400, 1, generator=rng), torch.randn(400, 1, generator=rng)], dim=1)
    flow = fit_flow(x, torch.ones(400), torch.ones(2), rng, steps=400, width=64)
    ends = integrate(flow, torch.randn(1000, 2, generator=rng))
    assert float((ends[:, 0].abs() < 0.43).float().mean()) < 0.1
    assert float(ends[:, 0].sign().mean()) == pytest.approx(float(kinds.mean()), abs=0.2)
    assert float(ends[:, 1].std()) == pytest.approx(1.0, abs=0.15)


@pytest.mark.slow
def test_golden_the_regressor_returns_z_and_learns(rng: torch.Generator) -> None:
    mapping = Run(PRESETS["small"], TrainConfig()).live.mapping
    regressor = MappingRegressor(mapping, 12, rng)
    z = normalised(torch.randn(2000, 256, generator=rng))
    with torch.no_grad():
        torch.testing.assert_close(regressor(z), z[:, :12], atol=1e-4, rtol=0)
    wanted = z[:, :12] + 0.5 * z[:, :12].abs()
    fit_regressor(regressor, z, wanted, torch.ones(12), rng, count=150)
    with torch.no_grad():
        assert float((regressor(z) - wanted).square().mean()) < 0.3 * float((z[:, :12] - wanted).square().mean())


def test_invariance_the_written_regressor_is_the_mapping_network(rng: torch.Generator) -> None:
    mapping = copy.deepcopy(Run(PRESETS["small"], TrainConfig()).live.mapping)
    regressor = MappingRegressor(mapping, 12, rng)
    mean, basis = torch.full((256,), 6.0), torch.randn(256, 12, generator=rng) / 6
    regressor.write(mapping, mean, basis)
    z = torch.randn(20, 256, generator=rng)
    with torch.no_grad():
        torch.testing.assert_close(mapping.to_w(z), mean + regressor(normalised(z)) @ basis.T, atol=1e-4, rtol=0)
    assert mapping.w_avg.equal(mean)


def test_golden_directions_are_ordered_by_what_shows(rng: torch.Generator) -> None:
    """Codes of which one number makes the whole picture, another a tenth of it, the rest nothing."""
    codes = torch.randn(3000, 6, generator=rng) @ torch.randn(6, 6, generator=rng) + 3
    pictures = codes[:, 2:3] * torch.ones(1, 9) + 0.1 * codes[:, 4:5] * torch.linspace(-1, 1, 9)
    found = directions_of(codes, pictures)
    x = found.coordinates(codes)
    torch.testing.assert_close(torch.cov(x.T), torch.eye(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.mean + x @ found.basis.T, codes, atol=1e-3, rtol=0)
    assert (found.visible.diff() <= 1e-6).all()
    assert float(torch.corrcoef(torch.stack([x[:, 0], codes[:, 2]]))[0, 1].abs()) > 0.98
    assert float(found.visible[2:].abs().max()) < 1e-3 * float(found.visible[0])


@pytest.mark.parametrize("as_photos", [False, True])
def test_invariance_a_new_prior_changes_no_reconstruction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_photos: bool
) -> None:
    generator = np.random.default_rng(0)
    lines = ["file,person,expression"]
    for index in range(4):
        Image.fromarray(generator.integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(tmp_path / f"{index}.png")
        lines.append(f"{index}.png,person{index},neutral")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    faces = read_faces([(tmp_path, tmp_path / "labels.csv", 1.0)])
    for name, value in {"FLOW_STEPS": 2, "MAPPING_STEPS": 2, "PAIRS": 64, "TEST_PAIRS": 32}.items():
        monkeypatch.setattr(prior, name, value)
    network = Run(PRESETS["small"], TrainConfig()).live.requires_grad_(False)
    images = faces.pixels.float() / 127.5 - 1
    drawn = network.synthesis(network.encode(images))
    middle = network.w_avg.clone()
    figures = fit_prior(network, faces, faces, torch.Generator().manual_seed(0), as_photos=as_photos)
    assert set(figures) == {
        "training_loss",
        "training_loss_normal",
        "held_out_loss",
        "held_out_loss_normal",
        "unexplained",
    }
    ws = network.encode(images)
    torch.testing.assert_close(network.synthesis(ws), drawn, atol=1e-3, rtol=0)
    if not as_photos:
        assert network.w_avg.equal(middle)
        return
    both = torch.cat([ws, network.encode(images.flip(3))])
    torch.testing.assert_close(both.mean(dim=0), network.w_avg.expand(10, -1), atol=1e-3, rtol=0)
    assert (network.mapping.to_w(torch.randn(50, 256)) > 0).all()
