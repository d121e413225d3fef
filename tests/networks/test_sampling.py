"""Random codes: the same on every device, of one class, drawn in groups."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import TINY, make_generator

from emogan_core.errors import Cancelled, CheckpointError, ShapeError
from emogan_core.networks import Generator
from emogan_core.networks.memory import need_to_draw
from emogan_core.networks.sampling import drawn_in_groups, sampled
from emogan_core.progress import StepReport


def test_shape_codes_belong_to_their_generator(tiny: Generator) -> None:
    latent = sampled(tiny, 3, psi=0.7, seed=1)
    assert latent.ws.shape == (3, TINY.num_ws, TINY.w_dim)
    assert latent.fingerprint == tiny.fingerprint
    assert torch.equal(latent.ws, sampled(tiny, 3, psi=0.7, seed=1).ws)
    assert not torch.equal(latent.ws, sampled(tiny, 3, psi=0.7, seed=2).ws)
    assert torch.equal(sampled(tiny, 1, psi=0.0, seed=1).ws[0, 0], tiny.w_avg)


def test_invariance_inference_mode_leaves_no_trace(tiny: Generator) -> None:
    with torch.inference_mode():
        latent = sampled(tiny, 2, psi=0.7, seed=1)
    assert not latent.ws.is_inference()


def test_error_classes(tiny: Generator) -> None:
    breeds = make_generator(replace(TINY, c_dim=3, name="breeds"), companions=False)
    assert not torch.equal(*(sampled(breeds, 1, psi=0.7, seed=1, label=label).ws for label in (0, 1)))
    for generator, label in ((breeds, None), (breeds, 3), (tiny, 0)):
        with pytest.raises(ShapeError, match="class"):
            sampled(generator, 1, psi=0.7, seed=1, label=label)


def test_invariance_groups_draw_what_a_batch_draws(tiny: Generator) -> None:
    ws = sampled(tiny, 5, psi=0.7, seed=1).ws
    steps: list[StepReport] = []
    groups = list(drawn_in_groups(tiny, ws, most=need_to_draw(TINY).of(2), progress=steps.append))
    assert [len(group) for group in groups] == [2, 2, 1]
    torch.testing.assert_close(torch.cat(groups), tiny.synthesis(ws), atol=1e-5, rtol=0)
    assert [(step.step, step.steps) for step in steps] == [(1, 3), (2, 3), (3, 3)]


def test_error_cancelling_stops_between_groups(tiny: Generator) -> None:
    def stop(report: StepReport) -> None:
        raise Cancelled

    groups = drawn_in_groups(tiny, sampled(tiny, 5, psi=0.7, seed=1).ws, most=1, progress=stop)
    assert len(next(groups)) == 1
    with pytest.raises(Cancelled):
        next(groups)


def test_error_pictures_that_are_not_finite() -> None:
    """Codes of another size than the average's may draw infinity where the average does not."""
    net = make_generator(companions=False)
    with torch.no_grad():
        net.synthesis.b32.torgb.bias.fill_(3e38)
        net.synthesis.b16.torgb.bias.fill_(3e38)
    with pytest.raises(CheckpointError, match="draws NaN or infinity instead of pictures"):
        list(drawn_in_groups(net, sampled(net, 1, psi=0.7, seed=1).ws))
