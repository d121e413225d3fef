"""Where training begins: a linear map that samples pin down."""

from __future__ import annotations

import torch
from tiny import normal

from emogan_core.encoder_training.projection import fit_projection


def test_golden_a_linear_map_is_found_again() -> None:
    weight, bias = normal(3, 40, seed=1), normal(3, seed=2)
    pictures = normal(30, 8, seed=3) @ normal(8, 40, seed=4)  # fewer directions than samples, fewer samples than pixels
    codes = pictures @ weight.T + bias
    found, offset = fit_projection(pictures, codes, pictures[:5])
    fresh = normal(9, 8, seed=5) @ normal(8, 40, seed=4)
    error = (fresh @ found.T + offset - fresh @ weight.T - bias).square().mean()
    assert error < 1e-3 * (fresh @ weight.T).var()


def test_invariance_worn_pictures_ask_for_a_larger_penalty() -> None:
    pictures = normal(60, 50, seed=0)
    codes = pictures[:, :2] + 0.01 * normal(60, 2, seed=1)
    clean, _ = fit_projection(pictures, codes, pictures[:6])
    worn, _ = fit_projection(pictures, codes, pictures[:6] + 3 * normal(6, 50, seed=2))
    assert torch.linalg.norm(worn) < torch.linalg.norm(clean)
