"""The blur filters that files keep beside their weights: they must be those that the networks here blur with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from ...errors import CheckpointError

STYLEGAN1 = (1, 2, 1)
STYLEGAN2 = (1, 3, 3, 1)


def expect_filters(
    entries: Mapping[str, object],
    names: Iterable[str],
    *,
    taps: tuple[int, ...] = STYLEGAN2,
    any_gain: bool = False,
) -> None:
    """Each named filter must be the outer product of `taps` along its last two axes, with the sum 1 unless `any_gain`.

    Raises: CheckpointError.
    """
    row = torch.tensor(taps, dtype=torch.float32) / sum(taps)
    wanted, checked = torch.outer(row, row), set()
    for name in names:
        value = entries[name]
        if id(value) in checked:  # a small file may have one under many names
            continue
        checked.add(id(value))
        if not _is_filter(value, wanted, any_gain=any_gain):
            raise CheckpointError(
                f"filter {name[:100]!a} is not [{', '.join(map(str, taps))}]; other filters are not drawn here"
            )


def _is_filter(value: object, wanted: Tensor, *, any_gain: bool) -> bool:
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim not in (2, 4):
        return False
    if value.shape[-2:] != wanted.shape or not value.numel():
        return False
    kernels = value.detach().float()  # [4, 4], or [n, 1, 4, 4] as a convolution takes them
    if any_gain:
        kernels = kernels / kernels.sum(dim=(-2, -1), keepdim=True)
    return torch.allclose(kernels, wanted.expand_as(kernels), atol=1e-4 if any_gain else 1e-6)
