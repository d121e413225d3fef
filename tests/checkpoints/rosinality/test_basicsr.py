"""BasicSR's StyleGAN2: rosinality's network under other names, its discriminator included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import basicsr_names, rosinality_discriminator, rosinality_names
from tiny import TINY, make_generator

from emogan_core.checkpoints import load_generator, open_generator
from emogan_core.errors import CheckpointError


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
    state = basicsr_names(rosinality_names(make_generator(companions=False)))
    torch.save({"params_ema": {f"stylegan_decoder.{name}": value for name, value in state.items()}}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="GFPGAN, which restores faces"):
        load_generator(tmp_path / "a.pth")
    clean = {name.replace(".activate.bias", ".bias"): value for name, value in state.items()}
    torch.save({"params_ema": clean}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"^a\.pth \(params_ema\): 'conv1\.activate\.bias' is missing"):
        load_generator(tmp_path / "a.pth")
