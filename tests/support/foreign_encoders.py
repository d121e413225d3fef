"""Encoders under the names that pSp, e4e and ReStyle give them: shapes of any size, filled from a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

STAGES = ((8, 1), (12, 1), (16, 2), (24, 1))
HEADS = (1, 1, 1, 2, 2, 2, 2, 3)  # for 32 px pictures and eight rows


def encoder_shapes(
    *,
    w_dim: int,
    heads: Sequence[int] = HEADS,
    stages: Sequence[tuple[int, int]] = STAGES,
    stem: int = 8,
    inputs: int = 3,
    pyramid: bool = True,
    reduction: int = 4,
) -> dict[str, tuple[int, ...]]:
    """Names and shapes; `stages` are widths and blocks, `heads` how often each halves its map, none for `linear` alone."""
    shapes = {"input_layer.0.weight": (stem, inputs, 3, 3), **_norm("input_layer.1", stem)}
    shapes["input_layer.2.weight"] = (stem,)
    index, inner = 0, stem
    for width, blocks in stages:
        for _ in range(blocks):
            here = f"body.{index}.res_layer"
            shapes |= _norm(f"{here}.0", inner) | _norm(f"{here}.4", width)
            shapes[f"{here}.1.weight"] = (width, inner, 3, 3)
            shapes[f"{here}.2.weight"] = (width,)
            shapes[f"{here}.3.weight"] = (width, width, 3, 3)
            shapes[f"{here}.5.fc1.weight"] = (width // reduction, width, 1, 1)
            shapes[f"{here}.5.fc2.weight"] = (width, width // reduction, 1, 1)
            if inner != width:
                shapes[f"body.{index}.shortcut_layer.0.weight"] = (width, inner, 1, 1)
                shapes |= _norm(f"body.{index}.shortcut_layer.1", width)
            index, inner = index + 1, width
    for number, (width, _) in enumerate(reversed(stages[-3:-1]), start=1):
        if pyramid:
            shapes |= {f"latlayer{number}.weight": (inner, width, 1, 1), f"latlayer{number}.bias": (inner,)}
    for head, halvings in enumerate(heads):
        for number in range(halvings):
            here = f"styles.{head}.convs.{2 * number}"
            shapes |= {f"{here}.weight": (w_dim, w_dim if number else inner, 3, 3), f"{here}.bias": (w_dim,)}
        here = f"styles.{head}.linear"
        shapes |= {f"{here}.weight": (w_dim, w_dim), f"{here}.bias": (w_dim,)}
    if not heads:
        shapes |= {"linear.weight": (w_dim, inner), "linear.bias": (w_dim,)}
    return shapes


def filled(shapes: dict[str, tuple[int, ...]], *, seed: int) -> dict[str, Tensor]:
    """Weights that keep activations in range, statistics far from their start; in order of name."""
    rng = torch.Generator().manual_seed(seed)
    made: dict[str, Tensor] = {}
    for name, shape in sorted(shapes.items()):
        numbers = torch.randn(shape, generator=rng)
        if name.endswith("num_batches_tracked"):
            made[name] = torch.tensor(1000)
        elif name.endswith("running_var"):
            made[name] = (0.4 * numbers).exp()
        elif name.endswith(("running_mean", "bias")):
            made[name] = 0.2 * numbers
        elif len(shape) == 4:
            made[name] = numbers / math.sqrt(shape[1] * shape[2] * shape[3])
        else:
            made[name] = numbers if len(shape) == 2 else 0.6 + 0.2 * numbers
    return made


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    parts = {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {**parts, f"{name}.num_batches_tracked": ()}
