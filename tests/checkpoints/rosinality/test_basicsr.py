"""BasicSR's StyleGAN2: what that program draws, and rosinality's network under other names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import basicsr_names, rosinality_discriminator, rosinality_names
from tiny import TINY, make_generator

from emogan_core.checkpoints import load_generator, open_generator
from emogan_core.errors import CheckpointError

W_DIM, LAYERS = 6, 2


def state() -> dict[str, torch.Tensor]:
    """StyleGAN2Generator(16, num_style_feat=6, num_mlp=2, narrow=1/128), filled from a seed in order of name."""
    shapes: dict[str, tuple[int, ...]] = {"constant_input.weight": (1, 4, 4, 4)}
    for layer in range(1, LAYERS + 1):
        shapes |= {f"style_mlp.{layer}.weight": (W_DIM, W_DIM), f"style_mlp.{layer}.bias": (W_DIM,)}
    for name in ("style_conv1", *(f"style_convs.{number}" for number in range(4))):
        shapes |= {f"{name}.weight": (1,), f"{name}.activate.bias": (4,)}
        shapes |= modulated(name, (1, 4, 4, 3, 3))
    for name in ("to_rgb1", "to_rgbs.0", "to_rgbs.1"):
        shapes |= {f"{name}.bias": (1, 3, 1, 1)} | modulated(name, (1, 3, 4, 1, 1))
    shapes |= {f"noises.noise{number}": (1, 1, side, side) for number, side in enumerate((4, 8, 8, 16, 16))}
    rng = torch.Generator().manual_seed(11)
    made = {}
    for name, shape in sorted(shapes.items()):
        slow = 100 if name.endswith("weight") else 20
        made[name] = torch.randn(shape, generator=rng) * (slow if name.startswith("style_mlp") else 1)
    return made


def modulated(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    here = f"{name}.modulated_conv"
    return {
        f"{here}.weight": shape,
        f"{here}.modulation.weight": (4, W_DIM),
        f"{here}.modulation.bias": (4,),
    }


@pytest.mark.parametrize("around", ["params_ema", "params", "", "state_dict"])
def test_golden_it_draws_what_basicsr_draws(around: str, tmp_path: Path) -> None:
    """Numbers of BasicSR 8d56e3a with this state dict, noise as stored, its fused activation written out for the CPU."""
    path = tmp_path / "net_g.pth"
    torch.save({around: state()} if around else state(), path)
    found = load_generator(path)
    ws = torch.randn(1, 6, W_DIM, generator=torch.Generator().manual_seed(12))
    image = found.synthesis(ws)
    torch.testing.assert_close(image.std(), torch.tensor(1.8194), atol=1e-4, rtol=0)
    torch.testing.assert_close(image[0, :, 5, 7], torch.tensor([0.0973430, 3.8214164, 4.2091179]), atol=1e-5, rtol=0)
    torch.testing.assert_close(image[0, :, 0, 15], torch.tensor([0.5219454, 3.2943952, 1.5620103]), atol=1e-5, rtol=0)
    z = torch.randn(1, W_DIM, generator=torch.Generator().manual_seed(13))
    w = torch.tensor([[-0.3897468, 1.4106232, 0.1660392, 1.5137168, 0.6998994, -0.0109766]])
    torch.testing.assert_close(found.mapping.to_w(z), w, atol=1e-5, rtol=0)


def test_shape_the_same_network_as_rosinalitys(tmp_path: Path) -> None:
    net = make_generator(replace(TINY, w_dim=24, z_dim=24))
    generator, discriminator = rosinality_names(net), rosinality_discriminator(net)
    content = {"params_ema": basicsr_names(generator), "d": basicsr_names(discriminator), "latent_avg": net.w_avg}
    torch.save(content, tmp_path / "net_g.pth")
    found = open_generator(tmp_path / "net_g.pth")
    assert found.generator.fingerprint == net.fingerprint
    assert found.generator.discriminator is not None
    assert [notice for notice in found.notices if "bilinear variant" in notice]


def test_error_gfpgan_is_no_generator_and_its_clean_variant_no_basicsr(tmp_path: Path) -> None:
    torch.save(
        {"params_ema": {f"stylegan_decoder.{name}": value for name, value in state().items()}}, tmp_path / "a.pth"
    )
    with pytest.raises(CheckpointError, match="GFPGAN, which restores faces"):
        load_generator(tmp_path / "a.pth")
    clean = {name.replace(".activate.bias", ".bias"): value for name, value in state().items()}
    torch.save({"params_ema": clean}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"^a\.pth \(params_ema\): 'conv1\.activate\.bias' is missing"):
        load_generator(tmp_path / "a.pth")
