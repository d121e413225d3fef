"""StyleGAN1 as genforce, InterFaceGAN and Hammer save it: our tensors under their names come back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from expecting import expect_same
from stylegan1_names import genforce_stylegan1, hammer_stylegan1, interfacegan_stylegan1
from tiny import FIRST, LARGE, vivid

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import GeneratorSpec


@pytest.mark.parametrize("names", ["genforce", "interfacegan", "hammer"])
@pytest.mark.parametrize("spec", [FIRST, LARGE], ids=["small", "large"])
def test_shape_genforce_and_its_kin(tmp_path: Path, spec: GeneratorSpec, names: str) -> None:
    net = vivid(spec)
    state = genforce_stylegan1(net)
    contents = {
        "genforce": {"generator_smooth": state},
        "interfacegan": interfacegan_stylegan1(state),
        "hammer": hammer_stylegan1(state, fused_scale="auto", wscale_gain=2**0.5),
    }
    torch.save(contents[names], tmp_path / "a.pth")
    found = read_foreign(tmp_path / "a.pth")
    expect_same(found, net)
    assert found.notices == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"final_tanh": True}, "final_tanh is True, which is not drawn here; needed False"),
        ({"noise_type": "channel"}, "noise_type is 'channel'"),
        ({"mapping_lr_mul": "fast"}, "needed numbers"),
        ({"fused_scale_res": None}, "needed numbers"),
    ],
)
def test_error_settings_of_hammer(tmp_path: Path, options: dict[str, object], words: str) -> None:
    torch.save(hammer_stylegan1(genforce_stylegan1(vivid(FIRST)), **options), tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=words):
        load_generator(tmp_path / "a.pth")


def test_invariance_settings_of_hammer_are_felt(tmp_path: Path) -> None:
    """Kernels are turned from the side on that the settings tell, and rates become ours."""
    net, ws = vivid(FIRST), torch.randn(1, 8, 16, generator=torch.Generator().manual_seed(2))
    drawn = []
    for options in ({}, {"fused_scale": True}, {"fused_scale_res": 32}):
        torch.save(hammer_stylegan1(genforce_stylegan1(net), **options), tmp_path / "a.pth")
        drawn.append(load_generator(tmp_path / "a.pth").synthesis(ws))
    torch.testing.assert_close(drawn[0], net.synthesis(ws), atol=1e-5, rtol=0)
    assert min((drawn[one] - drawn[other]).abs().max() for one, other in ((0, 1), (1, 2), (0, 2))) > 1e-2


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("synthesis.lod", torch.tensor(0.5), "middle of growing"),
        ("synthesis.layer2.blur.kernel", torch.ones(16, 1, 3, 3), "is not [1, 2, 1]"),
        ("synthesis.layer2.extra", torch.ones(16), "cannot use 'synthesis.b8.conv0.extra'"),
        ("synthesis.layer0.const", torch.ones(1, 16, 4, 8), "not square"),
        ("synthesis.layer0.const", "text", "is a str"),
    ],
)
def test_error_genforce_variants(tmp_path: Path, name: str, value: object, expected: str) -> None:
    state: dict[str, object] = {**genforce_stylegan1(vivid(FIRST)), name: value}
    torch.save({"generator_smooth": state}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"^a\.pth") as caught:
        load_generator(tmp_path / "a.pth")
    assert expected in str(caught.value)
