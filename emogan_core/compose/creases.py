"""The crease of an upper lid, the tone of a shut one and the grain of skin: a lid that shuts keeps little of the crease, and
stretched skin takes grain as fine as it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from .curves import smooth_step
from .lids import SPAN, Lids, above_lid, grid_above, line_along
from .motion import at_pixels
from .sampling import finer, in_cells

Array = NDArray[np.float64]
Single = NDArray[np.float32]

WIDE_CM, LONG_CM = 0.65, 0.5
"""What is dark and narrower than this across the lid, or along it, is a crease or lashes' shadow."""
SHADE, SHADE_CM = 0.5, 0.8  # of the shade that a fold throws on the lid, and how far from its edge
EDGE_CM = 0.07  # so near a lid's edge there are lashes' roots, and what was drawn on them
BELOW_BROW = 0.8  # creases reach no further up than this share of the way to the brow
BESIDE, FADES = 0.4, 0.25  # of the eye's length: how far beyond the corners, and over what they fade there
FINE_CM = 0.02  # nothing finer is seen of them
SMOOTH_CM = 0.1
FOLD_ENDS = 0.25  # of the eye's length, from its corners: there a fold has become lashes' shadow
FOLD_FROM_CM, FOLD_SOFT_CM = 0.15, (0.05, 0.25)  # from a lid's edge: where no fold is, and how soft one is left
TONE_CM, OWN_CM = (0.1, 0.2, 0.4, 0.8, 1.6), (0.6,)  # over which the skin around a shut lid, and its own, tell its tone
TONE_BROW = 0.88  # of the way to the brow: skin without hair
TONE_CHEEK_CM = 0.7  # below the lower lid: skin without lashes
LIGHT = 2.0  # the power of its lightness with which skin counts: lashes' make-up does not
TONE_STEP_CM, TONE_OFF_CM = 0.05, 0.15  # in cells of this size; nearer to the edge there are lashes
OWN, OWN_FADES_CM = 0.5, 0.25  # how much of its own tone a shut lid keeps, and over what that fades at its rim
GRAIN_CM, GRAIN_MOST = 0.1, 0.08  # what is finer is grain, and as faint: stronger lines are folds


def creases_of(skin: Single, grid: Grid, lids: Lids, brow: Array, scale: float) -> Single:
    """[h, w, 3]: log ratio (0 or less) of the skin's brightness to that without the creases above the upper lid.

    Convention: skin [h, w, 3] is the photo without lashes, brow [73] as `brow_above` gives it.
    """
    part, at = grid_above(lids, brow, grid, (WIDE_CM + 4 * FINE_CM) * scale)
    step = max(1, round(FINE_CM * scale))
    cells = Grid(part.left, part.top, -(-part.width // step), -(-part.height // step), step)
    light = [_lightest(skin[..., c], grid, lids, brow) for c in range(3)]
    share, down = lids.inside(cells)
    off = np.interp(share, SPAN, lids.upper) - down
    tall = np.interp(share, SPAN, lids.upper - brow)
    seen = np.maximum(in_cells(skin[at], step), 1.0)
    flat = [np.interp(share, SPAN, one) for one in light]
    weight = np.clip(off / (EDGE_CM * scale) - 1, 0, 1) * np.clip((BELOW_BROW - off / tall) / 0.2, 0, 1)
    weight = weight * smooth_step((BESIDE - np.maximum(-share, share - 1)) / FADES)
    shaded = SHADE * (1 - smooth_step(off / (SHADE_CM * scale)))
    result = np.zeros_like(skin)
    ratio = [_ratio(np.where(off > 0, seen[..., c], flat[c]), flat[c], shaded, lids, scale, step) for c in range(3)]
    result[at] = at_pixels(np.stack(ratio, -1) * weight[..., None], part, step)
    return result


def _ratio(bright: Array, light: Array, shaded: Array, lids: Lids, scale: float, step: int) -> Array:
    """[h, w]: log ratio of one colour to that without creases, on cells of `step` px; `light` [h, w] is that of plain skin."""
    smooth = max(FINE_CM * scale / step, 0.5)
    closed = bright = ndimage.gaussian_filter(bright, smooth)
    for direction, length in ((lids.frame.axes[1], WIDE_CM), (lids.frame.axes[0], LONG_CM)):
        closed = ndimage.grey_closing(closed, footprint=line_along(direction, length * scale / step), mode="nearest")
    closed = np.maximum(ndimage.gaussian_filter(closed, smooth), 1.0)
    shade = np.minimum(np.log(closed / np.maximum(light, 1.0)), 0)
    return np.asarray(np.minimum(np.log(bright / closed), 0) + shaded * shade)


def _lightest(plane: Single, grid: Grid, lids: Lids, brow: Array) -> Array:
    """[73]: about the lightest value between lid and brow, smooth along the lid."""
    return np.asarray(ndimage.gaussian_filter1d(np.quantile(above_lid(plane, grid, lids, brow), 0.7, axis=1), 8.0))


def smoothed(skin: Single, grid: Grid, lids: Lids, scale: float) -> Single:
    """[h, w, 3]: skin without its grain, and without what lashes leave of it; nothing of the eye comes in."""
    share, down = lids.inside(grid)
    off = np.maximum(np.interp(share, SPAN, lids.upper) - down, down - np.interp(share, SPAN, lids.lower))
    known = np.clip(off / (EDGE_CM * scale) - 2, 0, 1) + 1e-3
    sigma = max(SMOOTH_CM * scale, 1.0)
    mass = ndimage.gaussian_filter(known, sigma)
    planes = [ndimage.gaussian_filter(skin[..., c] * known, sigma) / mass for c in range(3)]
    return np.stack(planes, -1).astype(np.float32)


def fold_of(creases: Single, grid: Grid, lids: Lids, scale: float) -> Single:
    """[h, w, 3]: of creases [h, w, 3] what stays where it is when the lid shuts: the fold below the orbit, softly."""
    share, down = lids.inside(grid)
    off = (np.interp(share, SPAN, lids.upper) - down) / scale
    inner = smooth_step(np.minimum(share, 1 - share) / FOLD_ENDS)
    own = creases * (inner * smooth_step((off - FOLD_FROM_CM) / FOLD_FROM_CM))[..., None]
    soft, wide = (
        np.stack([ndimage.gaussian_filter(own[..., c], size * scale) for c in range(3)], -1) for size in FOLD_SOFT_CM
    )
    return np.asarray(np.minimum(soft - wide, 0), dtype=np.float32)


def even_tone(
    skin: Single, hair: NDArray[np.bool_], drawn: Single, grid: Grid, lids: Lids, brow: Array, scale: float
) -> Single:
    """[h, w, 3]: the tone of a shut lid, from the skin [h, w, 3] around what is drawn [h, w] of it, and in part its own.

    Convention: near skin counts most, so that the tone goes over into it; hair [h, w] and what is beyond the brow [73] count for nothing.
    """
    share, down = lids.inside(grid)
    off = np.interp(share, SPAN, lids.upper) - down
    tall = np.maximum(np.interp(share, SPAN, lids.upper - brow), 1.0)
    cheek = off < np.interp(share, SPAN, lids.upper - lids.lower) - TONE_CHEEK_CM * scale
    clear = ((off > TONE_OFF_CM * scale) & (off < TONE_BROW * tall) & ~hair) | cheek
    bright = skin.mean(-1)
    if clear.any():
        clear = clear * np.clip(bright / np.quantile(bright[clear], 0.8), 0, 1) ** LIGHT
    step = max(1, round(TONE_STEP_CM * scale))
    around = _carried(skin, clear * (1 - drawn), TONE_CM, scale, step)
    own = _carried(skin, clear * drawn, OWN_CM, scale, step)
    deep = np.clip(2 * ndimage.gaussian_filter(drawn, OWN_FADES_CM * scale) - 1, 0, 1)[..., None]
    return np.asarray(around + OWN * deep * (own - around), dtype=np.float32)


def _carried(skin: Single, known: NDArray[np.floating], reaches: tuple[float, ...], scale: float, step: int) -> Single:
    """[h, w, 3]: skin [h, w, 3] where it is known [h, w], carried on smoothly to where it is not."""
    weight = known[..., None].astype(np.float32) + np.float32(1e-4)
    cells = in_cells(np.concatenate([skin * weight, weight], -1), step)
    planes = np.zeros_like(cells)
    for reach in reaches:
        sigma = max(reach * scale / step, 0.5)
        soft = [ndimage.gaussian_filter(cells[..., c], sigma, mode="nearest", truncate=3.0) for c in range(4)]
        planes += np.stack(soft, -1) / np.float32(reach**2)
    tone = planes[..., :3] / planes[..., 3:]
    return (finer(tone, step) if step > 1 else tone)[: skin.shape[0], : skin.shape[1]]


def grain_of(photo: Single, scale: float) -> Single:
    """[h, w]: log ratio of the brightness of skin [h, w, 3] to that without its grain; faint, or it is no grain."""
    bright = np.log(np.maximum(photo.mean(-1), 1.0))
    fine = bright - ndimage.gaussian_filter(bright, max(GRAIN_CM * scale, 1.0))
    return np.asarray(fine / (1 + (fine / GRAIN_MOST) ** 2), dtype=np.float32)
