"""Drawing less than a whole picture: from the first block that an edit touches, or at a low resolution.

Codes that agree up to some row share everything below the block that reads it, so a slider that moves later rows only
needs the blocks from there on. A draft stops early: StyleGAN2's skip architecture holds a picture at every resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..errors import ShapeError
from .stylegan2 import Synthesis


@dataclass(frozen=True, slots=True)
class Prefix:
    """What codes that share their rows below `row` have in common.

    Convention: ws [n, num_ws, w_dim]; the blocks below `block` made features [n, c, h, h]; image [n, 3, h / 2, h / 2] is
    the picture below the last of them, whose colours `row` may change; None where there is nothing yet.
    """

    ws: Tensor
    row: int
    block: int
    features: Tensor | None
    image: Tensor | None
    noise: bool

    @property
    def nbytes(self) -> int:
        held = (self.ws, self.features, self.image)
        return sum(part.numel() * part.element_size() for part in held if part is not None)


def first_change(before: Tensor, after: Tensor) -> int:
    """The first row in which any two codes [n, num_ws, w_dim] differ; num_ws when none does."""
    differs = (before != after).flatten(2).any(dim=2).any(dim=0)
    return int(differs.nonzero()[0]) if bool(differs.any()) else before.shape[1]


def draw_until(synthesis: nn.Module, ws: Tensor, row: int, *, noise: bool = True) -> Prefix:
    """Draw what does not depend on the rows of ws from `row` on.

    Convention: ws [n, num_ws, w_dim], row from 0, from where nothing can be kept, to num_ws - 1.
    Raises: ShapeError when there is no such row, or when the generator is no StyleGAN2.
    """
    network = _expect_stylegan2(synthesis, "redrawn from the middle")
    if not 0 <= row < network.spec.num_ws:
        raise ShapeError(f"row {row} came; this generator's codes have rows 0 to {network.spec.num_ws - 1}")
    block = (row + 1) // 2
    x = image = None
    if block > 0:
        x, image = network.advance(ws, None, None, noise=noise, end=block - 1, keep=True)
        x, _ = network.advance(ws, x, image, noise=noise, first=block - 1, end=block, keep=True)
    return Prefix(ws=ws, row=row, block=block, features=x, image=image, noise=noise)


def resume(synthesis: nn.Module, prefix: Prefix, ws: Tensor) -> Tensor:
    """Pictures [n, 3, r, r] of codes that share their rows below the prefix's with it, the same as drawn from the start.

    Convention: ws [n, num_ws, w_dim]; the prefix is of as many codes, or of one that all of them share.
    Raises: ShapeError when the codes do not share those rows, or when the generator is no StyleGAN2.
    """
    network = _expect_stylegan2(synthesis, "redrawn from the middle")
    if ws.shape[1:] != prefix.ws.shape[1:] or len(prefix.ws) not in (1, len(ws)):
        raise ShapeError(
            f"codes {tuple(ws.shape)} came; the prefix was drawn of {tuple(prefix.ws.shape)}: draw one of these codes"
        )
    differs = first_change(prefix.ws.expand_as(ws), ws)
    if differs < prefix.row:
        raise ShapeError(
            f"the codes differ from row {differs} on, the prefix keeps those below {prefix.row}; draw anew"
        )
    x, image = (part if part is None else part.expand(len(ws), -1, -1, -1) for part in (prefix.features, prefix.image))
    if x is not None:
        image = network.recolour(x, image, ws, prefix.block - 1)
    _, image = network.advance(ws, x, image, noise=prefix.noise, first=prefix.block)
    assert image is not None
    return image


def draft(synthesis: nn.Module, ws: Tensor, side: int, *, noise: bool = True) -> Tensor:
    """Pictures [n, 3, side, side] as the blocks up to `side` px leave them: near the whole pictures made small, not equal.

    Raises: ShapeError when no block has that side, or when the generator holds no pictures below its resolution.
    """
    network = _expect_stylegan2(synthesis, "drafted")
    spec = network.spec
    if spec.architecture != "stylegan2":
        raise ShapeError(f"a draft was asked of {spec.architecture}, which has a picture only at {spec.resolution} px")
    if side not in spec.resolutions:
        raise ShapeError(f"a draft of {side} px came; needed one of {', '.join(map(str, spec.resolutions))}")
    _, image = network.advance(ws, None, None, noise=noise, end=spec.resolutions.index(side) + 1)
    assert image is not None
    return image


def _expect_stylegan2(synthesis: nn.Module, what: str) -> Synthesis:
    if not isinstance(synthesis, Synthesis):
        raise ShapeError(f"this generator cannot be {what}; only StyleGAN2 can, draw the whole picture instead")
    return synthesis
