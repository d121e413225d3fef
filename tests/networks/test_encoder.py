"""The encoder starts from what is handed in, not from torch's own random numbers."""

from __future__ import annotations

import torch

from emogan_core.networks.encoder import Encoder
from emogan_core.networks.layers import initialise


def test_invariance_of_the_global_generator() -> None:
    made = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        encoder = Encoder(32, (8, 8, 8, 8), w_dim=6, num_ws=4)
        initialise(encoder, torch.Generator().manual_seed(5))
        made.append(encoder.state_dict())
    for name, tensor in made[0].items():
        torch.testing.assert_close(tensor, made[1][name], atol=0, rtol=0)
    assert (made[0]["linear.bias"] == 0).all()
