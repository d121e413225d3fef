"""A generator between two of one lineage."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from tiny import TINY, make_generator

from emogan_core.errors import SpaceMismatch
from emogan_core.networks import Generator
from emogan_core.training.blend import blended


@pytest.fixture
def after(tiny: Generator, rng: torch.Generator) -> Generator:
    """The tiny generator with other synthesis and encoder weights."""
    other = copy.deepcopy(tiny)
    with torch.no_grad():
        for part in (other.synthesis, other.encoder):
            assert part is not None
            for parameter in part.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=rng))
    return other


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_golden_synthesis_lies_between_and_the_rest_is_the_later_ones(
    tiny: Generator, after: Generator, share: float
) -> None:
    both = blended(tiny, after, share=share)
    old, new, mine = (one.state_dict() for one in (tiny, after, both))
    for name, tensor in mine.items():
        wanted = old[name] + share * (new[name] - old[name]) if name.startswith("synthesis.") else new[name]
        torch.testing.assert_close(tensor, wanted, msg=name)


def test_error_other_codes_are_refused(tiny: Generator) -> None:
    other = copy.deepcopy(tiny)
    other.mapping.w_avg.add_(1)
    with pytest.raises(SpaceMismatch, match="other layers or other codes; give two files between which"):
        blended(tiny, other, share=0.5)
    with pytest.raises(SpaceMismatch, match="other layers"):
        blended(tiny, make_generator(replace(TINY, name="another")), share=0.5)
