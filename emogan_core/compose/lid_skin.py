"""How the skin around an eye moves with its lids, column by column in the eye's frame.

The mesh folds its upper lid; pulled along with it a photo's brow or lashes would be smeared. Here the skin keeps its
order: the lid's edge goes where the edge goes, the brow where the mesh takes it, and what lies between is shared out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from .curves import smooth_step
from .lids import SPAN, WAY, Lids, above_lid, shut_share

Array = NDArray[np.float64]
Single = NDArray[np.float32]

LINE_CM = 0.06  # above a shut lid's edge: the line of its lashes, softly
ANEW_CM = 0.15  # where a lid that shuts comes from further away, it is drawn anew
ROOTS_CM = 0.15  # from a lid's edge: roots of lashes, hardly stretched
CARRIED_CM, CARRIED = 0.5, 0.5  # what goes with a lid that rises, and at most this share of the way to the brow
OPENED_CM, SLIP = 0.12, 0.3  # so far risen, this share of that slips under the crease
FOLD_CM, FOLD_WIDE_CM, EVEN = 0.4, 0.3, 0.6  # where a lid that shuts unrolls, how wide, and what share the rest takes
ALIKE = 9.0, 1.5  # columns and places over which skin is taken together
STIFF = 4.0  # the power of its lightness with which the skin of such a lid stretches
WIDER, UNROLLED = (1.7, 2.5), 0.5
"""Times as wide as it was: skin is too stretched to show its own pixels, a little and altogether; so much less wide where
a lid shuts."""
HAIR_WAY = 0.15  # of the way to the brow: hair, not to be stretched
CHEEK_CM = 0.75, 1.35  # below the lower lid: skin without lashes, whose grain stretched skin takes
BELOW_CM = 0.9  # how far below the eye the lower lid's motion is felt
BESIDE_CM = 0.5  # the same beyond the corners
SEEKING = 4  # rounds in which the brow's place after is found


def light_skin(lids: Lids, brow: Array, skin: Single, grid: Grid) -> Array:
    """[73, 48]: how light the skin [h, w, 3] above a lid is, at WAY from its edge to the brow, 1 the lightest there.

    Smooth along the lid, or what stretches with it is wavy.
    """
    plane = ndimage.gaussian_filter(np.maximum(above_lid(skin.mean(-1), grid, lids, brow), 1.0), ALIKE, mode="nearest")
    return np.asarray(plane / plane.max(1, keepdims=True))


def stretch(before: Lids, after: Lids, brow: Array, light: Array, scale: float) -> Array:
    """[73, 48]: how much of a stretch each place takes, from the lid's edge (0) to the brow (1); the mean is 1.

    A lid that rises takes its lashes and its crease along, slips a little under that, and stretches the skin above. One
    that shuts unrolls from its fold; what lashes and their shadow darken there stays narrow.
    Convention: brow [73] as `brow_above` gives it, in the frame before, light [73, 48] as `light_skin`.
    """
    off = (before.upper - brow)[:, None] * WAY / scale  # cm
    stiff = light**STIFF
    ends = smooth_step((1 - WAY) / HAIR_WAY) * (1 + smooth_step((WAY - 0.4) / 0.3) * (stiff - 1))  # hair above is dark
    opened = float(np.clip((after.gap - before.gap).mean() / (OPENED_CM * scale), 0, 1))
    carried = 1 - smooth_step(off / np.minimum(CARRIED_CM, CARRIED * off[:, -1:]))
    risen = ends * (1 - carried) - SLIP * opened * carried
    unrolled = ends * smooth_step(off / ROOTS_CM) * (EVEN + np.exp(-(((off - FOLD_CM) / FOLD_WIDE_CM) ** 2))) * stiff
    weight = risen + 0.02
    weight += shut_share(before, after) * (unrolled - risen)
    return np.asarray(weight / weight.mean(1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class SkinMotion:
    """The skin's motion (backwards) around an eye, px.

    Convention: field [h, w, 2] is that of its colours. Its grain does not stretch with them: grain [h, w, 2] is the
    motion of that, taken from below the eye; stretched [h, w] is where skin is drawn anew, as so much wider than it was that
    this shows, or unrolled by a lid that shuts, 0 to 1.
    """

    field: Single
    grain: Single
    stretched: Single


def lid_field(
    field: Single, grid: Grid, before: Lids, after: Lids, brow: Array, light: Array, scale: float
) -> SkinMotion:
    """The skin's motion around an eye.

    Convention: field [h, w, 2] is that of the mesh, brow [73] as `brow_above` gives it, in the frame before, light [73, 48]
    as `light_skin`.
    """
    share, down = after.inside(grid)
    axes = after.frame.axes
    beside = np.maximum(np.maximum(-share, share - 1), 0) * after.frame.length / (BESIDE_CM * scale)
    weight = smooth_step(1 - beside)
    above = down < np.interp(share, SPAN, (after.upper + after.lower) / 2)
    column = (share - SPAN[0]) / (SPAN[1] - SPAN[0])
    result = field.astype(np.float64)
    grain, stretched = np.zeros_like(result), np.zeros(weight.shape)
    soft = stretch(before, after, brow, light, scale)
    wider = np.subtract(WIDER, UNROLLED * shut_share(before, after))
    for side, old, new, given, (far_points, far_move) in (
        (1.0, before.upper, after.upper, soft, _followed(field, grid, before.points(brow))),
        (-1.0, before.lower + after.covered, after.lower, np.ones_like(soft), _below(field, grid, after, scale)),
    ):
        edge_move = (before.points(old) - after.points(new)) @ axes.T
        far_move = far_move @ axes.T
        place, line = after.frame.inside(far_points).T
        order = np.argsort(place)
        height = np.maximum(side * (new - np.interp(SPAN * after.frame.length, place[order], line[order])), 1.0)
        source = np.maximum(height + side * (edge_move[:, 1] - far_move[:, 1]), 0.05 * height)
        table = _shared(height, source, given)  # [73, 48]
        tall = np.interp(share, SPAN, height)
        off = side * (np.interp(share, SPAN, new) - down)  # px from the lid's edge into the skin
        inside = (above if side > 0 else ~above) & (off < tall) & (weight > 0)
        off, tall, here, places = off[inside], tall[inside], share[inside], column[inside]
        part = np.clip(off / tall, 0, 1)
        at = [places, part * (len(WAY) - 1)]
        was = ndimage.map_coordinates(table, at, order=1, mode="nearest")
        mix = smooth_step(part)
        along = np.interp(here, SPAN, edge_move[:, 0]) * (1 - mix) + np.interp(here, SPAN, far_move[:, 0]) * mix
        move = np.interp(here, SPAN, edge_move[:, 1])
        across = move - side * (was - np.maximum(off, 0))
        vector = along[:, None] * axes[0] + across[:, None] * axes[1]
        if side > 0:
            closing, least = shut_share(before, after), ROOTS_CM * scale
            roots = (1 - closing) * least  # those of a shut lid are turned down
            now = np.column_stack([here * after.frame.length, np.interp(here, SPAN, new) - off])
            grain[inside] = _cheek(here, off, before, scale) - (after.frame.origin + now @ axes)
            rate = np.gradient(height[:, None] * WAY, axis=1) / np.maximum(np.gradient(table, axis=1), 1e-6)
            rate = ndimage.map_coordinates(rate, at, order=1, mode="nearest")
            wide = smooth_step(off / least - 1) * smooth_step((rate - wider[0]) / (wider[1] - wider[0]))
            gone = closing * smooth_step(np.abs(across) / (ANEW_CM * scale))
            gone = gone * smooth_step((off - roots) / (roots + LINE_CM * scale))
            stretched[inside] = weight[inside] * np.maximum(wide, gone)
        result[inside] += weight[inside, None] * (vector - result[inside])
    return SkinMotion(result.astype(np.float32), grain.astype(np.float32), stretched.astype(np.float32))


def _cheek(share: Array, off: Array, before: Lids, scale: float) -> Array:
    """[n, 2] photo px: skin below the eye for places `off` px from the upper lid's edge: up to the lower lid, and down again
    on the other side of the eye, or what is mirrored would show as rings."""
    least, room = CHEEK_CM[0] * scale, (CHEEK_CM[1] - CHEEK_CM[0]) * scale
    again = off % (2 * room) > room
    share = np.where(again, 1 - share, share)
    down = np.interp(share, SPAN, before.lower) + least + np.abs(off % (2 * room) - room)
    along = np.column_stack([share * before.frame.length, down])
    return np.asarray(before.frame.origin + along @ before.frame.axes)


def _followed(field: Single, grid: Grid, points: Array) -> tuple[Array, Array]:
    """Points [n, 2] of the photo after the field's motion, and that motion (backwards) there [n, 2]."""
    place, move = points, np.zeros_like(points)
    for _ in range(SEEKING):
        move = _at(field, grid, place)
        place = points - move
    return place, move


def _below(field: Single, grid: Grid, after: Lids, scale: float) -> tuple[Array, Array]:
    """The same for the line below the lower lid, where it is after: a cheek may rise to where the lid was."""
    place = after.points(after.lower + BELOW_CM * scale)
    return place, _at(field, grid, place)


def _at(field: Single, grid: Grid, points: Array) -> Array:
    """[n, 2]: the motion at points [n, 2] of the photo, smoothed along them."""
    rows, columns = points[:, 1] - grid.top - 0.5, points[:, 0] - grid.left - 0.5
    planes = [ndimage.map_coordinates(field[..., k], [rows, columns], order=1, mode="nearest") for k in (0, 1)]
    return np.asarray(ndimage.gaussian_filter1d(np.stack(planes, -1), 2.0, axis=0, mode="nearest"), dtype=np.float64)


def _shared(after: Array, before: Array, soft: Array) -> Array:
    """[73, 48]: places before (px from the lid's edge) for those after at WAY of the height `after` [73].

    Monotone; the height before [73] and after correspond.
    """
    growth = after / before - 1
    rate = np.maximum(1 + growth[:, None] * np.where(growth[:, None] > 0, soft, 1.0), 0.05)
    there = np.concatenate([np.zeros((len(rate), 1)), np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2, axis=1)], axis=1)
    there /= there[:, -1:]
    return np.stack([size * np.interp(WAY, line, WAY) for size, line in zip(before, there, strict=True)])
