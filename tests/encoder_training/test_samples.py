"""What an encoder learns from: codes of both kinds, pictures in range, the same ones for the same seed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import TINY, make_generator, normal

from emogan_core.encoder_training.samples import drawn, labelled_pictures, moved, random_codes, varied
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_generator(companions=False)


def test_shape_some_codes_have_rows_of_two_faces(net: Generator) -> None:
    ws = random_codes(net, 40, rng())
    assert ws.shape == (40, net.spec.num_ws, 16)
    kinds = [len(code.unique(dim=0)) for code in ws]
    assert set(kinds) == {1, 2}
    assert all(len(code.unique(dim=0)) == 1 for code in random_codes(net, 8, rng(), mixed=0.0))


def test_shape_classes_are_drawn_at_random() -> None:
    net = make_generator(replace(TINY, c_dim=3), companions=False)
    assert random_codes(net, 5, rng()).isfinite().all()


def test_invariance_a_seed_gives_the_same_pictures(net: Generator) -> None:
    one, other = (next(labelled_pictures(net, 4, size=2)) for _ in range(2))
    assert one[0].equal(other[0])
    assert one[0].equal(drawn(net, one[1]))
    assert not one[0].equal(next(labelled_pictures(net, 5, size=2))[0])


def test_shape_varied_pictures_stay_pictures() -> None:
    pictures = normal(4, 3, 32, 32).clamp(-1, 1)
    for change in (varied, moved):
        changed = change(pictures, rng())
        assert changed.shape == pictures.shape
        assert changed.abs().max() <= 1.0001
        assert not changed.equal(pictures)


def test_error_a_generator_that_draws_nan(net: Generator) -> None:
    with pytest.raises(CheckpointError, match="draws NaN"):
        drawn(net, torch.full((1, net.spec.num_ws, 16), torch.nan))
