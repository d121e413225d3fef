"""Estimates against what PyTorch's allocator counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import TINY, make_generator
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from emogan_core.inversion import OptimiseConfig
from emogan_core.inversion.methods import descend
from emogan_core.inversion.objective import Target
from emogan_core.inversion.tune import tuned
from emogan_core.networks import Generator, GeneratorSpec, stylegan1, stylegan2
from emogan_core.networks.discriminator import Discriminator
from emogan_core.networks.irse import Stage
from emogan_core.networks.memory import GROUP_BYTES, Need, need_to_compare, need_to_draw, need_to_encode, need_to_invert
from emogan_core.networks.perceptual import PerceptualNet
from emogan_core.networks.recogniser import FaceRecogniser
from emogan_core.networks.spec import AliasFree
from emogan_core.networks.tuned import need_to_tune
from emogan_core.progress import silent

WIDTHS = (32, 32, 32, 32, 32, 16)
PYRAMIDS = [
    GeneratorSpec(resolution=128, w_dim=16, z_dim=16, channels=WIDTHS, mapping_layers=2, architecture=architecture)
    for architecture in ("stylegan1", "stylegan2", "stylegan2-resnet", "stylegan2-orig")
]
ALIAS_FREE = GeneratorSpec(
    resolution=64,
    w_dim=16,
    z_dim=16,
    channels=(64,) * 8 + (40, 32, 32, 16, 16, 16),
    mapping_layers=2,
    architecture="stylegan3",
    alias_free=AliasFree(),
)
FULL = GeneratorSpec(resolution=1024, w_dim=512, z_dim=512, channels=(512,) * 5 + (256, 128, 64, 32), mapping_layers=8)


@pytest.fixture
def peak(tmp_path: Path) -> Callable[[Callable[[], object]], int]:
    """peak(call): the most bytes that were allocated at once beyond what was there before."""

    def measured(call: Callable[[], object]) -> int:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
            call()
        seen.export_chrome_trace(str(tmp_path / "trace.json"))
        events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        counts = [event["args"] for event in events if event.get("name") == "[memory]"]
        return int(max(one["Total Allocated"] for one in counts) - counts[0]["Total Allocated"] + counts[0]["Bytes"])

    return measured


@pytest.fixture
def whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw on the CPU as elsewhere: a batch at once, not in tiles of rows nor in place."""
    monkeypatch.setattr(stylegan1, "may_overwrite", lambda *tensors: False)
    monkeypatch.setattr(stylegan2.Synthesis, "_first_tiled", lambda self, ws: len(self.spec.channels))


def network(spec: GeneratorSpec, *, with_discriminator: bool) -> Generator:
    discriminator = Discriminator(spec.resolution, spec.channels) if with_discriminator else None
    made = Generator(spec, fingerprint="", discriminator=discriminator).requires_grad_(False)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    return made


def codes(spec: GeneratorSpec, count: int) -> Tensor:
    return torch.randn(count, spec.num_ws, spec.w_dim, generator=torch.Generator().manual_seed(1))


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("spec", [*PYRAMIDS, ALIAS_FREE], ids=lambda spec: spec.architecture)
def test_shape_drawing_takes_about_what_is_said(spec: GeneratorSpec, peak) -> None:
    made, need = network(spec, with_discriminator=False), need_to_draw(spec, device="cpu")
    for count in (1, 3):
        with torch.no_grad():
            took = peak(lambda count=count: made.synthesis(codes(spec, count)))
        assert 0.6 * need.of(count) < took < need.of(count)


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize(
    ("spec", "with_discriminator"),
    [(ALIAS_FREE, False), *((spec, with_discriminator) for spec in PYRAMIDS for with_discriminator in (False, True))],
    ids=lambda value: getattr(value, "architecture", value),
)
def test_shape_inverting_takes_about_what_is_said(spec: GeneratorSpec, with_discriminator: bool, peak) -> None:
    made = network(spec, with_discriminator=with_discriminator)
    need = need_to_invert(made, device="cpu")
    for count in (1, 2):
        images, ws = torch.zeros(count, 3, spec.resolution, spec.resolution), codes(spec, count)
        took = peak(
            lambda images=images, ws=ws: descend(
                made, Target(images), ws, steps=1, config=OptimiseConfig(), progress=silent
            )
        )
        assert 0.6 * need.of(count) < took < need.of(count)


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("spec", [*PYRAMIDS, ALIAS_FREE], ids=lambda spec: spec.architecture)
def test_shape_tuning_takes_no_more_than_is_said(spec: GeneratorSpec, peak) -> None:
    made, need = (
        network(spec, with_discriminator=False),
        need_to_tune(network(spec, with_discriminator=False), device="cpu"),
    )
    target, ws = Target(torch.zeros(1, 3, spec.resolution, spec.resolution)), codes(spec, 1)
    took = peak(lambda: tuned(made, ws, target, config=OptimiseConfig(tune_steps=2), progress=silent))
    assert 0.5 * need.of(1) < took < need.of(1)


def test_shape_encoding_takes_no_more_than_is_said(peak) -> None:
    made = make_generator(TINY)
    assert made.encoder is not None
    with torch.no_grad():
        took = peak(lambda: made.encode(torch.zeros(4, 3, 32, 32)))
    assert took < need_to_encode(made, device="cpu").of(4)
    assert need_to_encode(make_generator(TINY, companions=False)) == Need(0)


def test_golden_full_size() -> None:
    """StyleGAN2 at 1024 px: 131 million outputs of convolutions (known), so gigabytes with gradients; by the formulas."""
    assert 0.7e9 < need_to_draw(FULL).each < 0.9e9
    with torch.device("meta"):
        made = Generator(FULL, fingerprint="", discriminator=Discriminator(1024, FULL.channels))
    assert 5e9 < need_to_invert(made).each < 7e9


def test_shape_groups() -> None:
    assert list(Need(1).groups(3)) == [slice(0, 3)]
    assert list(Need(GROUP_BYTES // 2).groups(5)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(Need(9 * GROUP_BYTES, fixed=GROUP_BYTES).groups(2)) == [slice(0, 1), slice(1, 2)]
    assert list(Need(0).groups(2)) == [slice(0, 2)]
    assert list(Need(1).groups(0)) == []
    assert Need(GROUP_BYTES // 2, fixed=1).peak(9) == GROUP_BYTES // 2 + 1
    assert Need(9 * GROUP_BYTES).peak(2) == 9 * GROUP_BYTES
    assert Need(5).peak(2) == 10


def test_shape_comparing_takes_about_what_is_said(peak, rng: torch.Generator) -> None:
    """Networks of an eighth of the usual widths; beside one picture each."""
    blocks = (Stage(8, 3, 2), Stage(16, 4, 2), Stage(32, 14, 2), Stage(64, 3, 4))
    perceptual = PerceptualNet("VGG16", [[8, 8], [16, 16], [32] * 3, [64] * 3, [64] * 3])
    recogniser = FaceRecogniser(8, blocks, last_side=7, outputs=64)
    for network, need, side in (
        (perceptual, need_to_compare(128, perceptual, None), 128),
        (recogniser, need_to_compare(128, None, recogniser), 112),
    ):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.normal_(generator=rng)
        picture = torch.rand(1, 3, side, side, generator=rng, requires_grad=True)

        def compared(network=network, picture=picture) -> None:
            seen = network(picture)
            sum(one.sum() for one in (seen if isinstance(seen, list) else [seen])).backward()

        assert 0.5 * need.each < peak(compared) < need.each
