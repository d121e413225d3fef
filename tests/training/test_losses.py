from __future__ import annotations

import torch
from torch import Tensor, nn

from emogan_core.training.losses import augmented_alike, gradient_penalty


class Linear(nn.Module):
    """A discriminator whose gradient is the same everywhere."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pictures: Tensor) -> Tensor:
        return (pictures * self.weight).sum(dim=(1, 2, 3))[:, None]


def test_golden_the_gradient_penalty_is_the_gradients_squared_norm() -> None:
    rng = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 8, 8, generator=rng)
    pictures = torch.randn(4000, 3, 8, 8, generator=rng)
    network = Linear(weight)
    found = gradient_penalty(network, pictures, network(pictures), rng)  # type: ignore[arg-type]
    torch.testing.assert_close(found, weight.square().sum(), rtol=0.08, atol=0.0)  # three standard errors


def test_invariance_two_pictures_of_a_place_are_augmented_alike() -> None:
    pictures = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    one, other = augmented_alike(pictures, pictures.clone(), torch.Generator().manual_seed(2), share=0.8)
    assert torch.equal(one, other)
    assert not torch.equal(one, pictures)
