"""The eyeball behind moving lids: it stays where it was, and what lids uncover is continued from what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from .curves import smooth_step
from .lid_shadow import Shadow, shadow_of
from .lids import Lids
from .openings import EYE_LEFT, EYE_RIGHT, Place
from .sampling import finer, in_cells

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Flags = NDArray[np.bool_]

SHADOW_CM = 0.10  # so far inside the opening nothing is taken for the eye's own colour
RISEN_CM = 0.04  # a lid that rose this far shows none of its own pixels where it was
LOWERED = 0.6  # a lid that comes down shades the eye less than one that was there: light comes from below too
BRIGHTENED = 1.4  # what was in a lid's shadow is not brightened by more: lashes would show
LASHES_CM = 0.055  # lashes and the lid's shadow lie this far inside the opening; they go with the lid
EYEBALLS = {EYE_RIGHT.name: "eyeball_right", EYE_LEFT.name: "eyeball_left"}
IRISES = {EYE_RIGHT.name: slice(468, 473)}
OTHER_IRIS = slice(473, 478)
RINGS = 24
COARSE = 6.0  # cells of which a blur is as good as one of pixels
USUAL_RADIUS = 19.0  # px of an iris in a photo of 1350 px


@dataclass(frozen=True, slots=True)
class Iris:
    """A disc in photo px."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """An eye before an edit, on its own grid of photo pixels.

    Convention: seen [h, w, 3] are the photo's pixels, whole [h, w, 3] the eye's surface as continued from what the lids
    leave of it, white [h, w, 3] the same without the iris, taken [h, w] how much of each pixel lids and their shadow
    take, depth [h, w] px below the upper lid, shadow that lid's on the eye, shade [h, w] that shadow where it stands.
    """

    grid: Grid
    seen: Single
    whole: Single
    white: Single
    taken: Single
    depth: Single
    shade: Single
    shadow: Shadow
    iris: Iris

    def part(self, grid: Grid) -> Eye:
        """The same eye on a smaller grid of the same pixels."""
        row, column = int(grid.top - self.grid.top), int(grid.left - self.grid.left)
        at = slice(row, row + grid.height), slice(column, column + grid.width)
        return Eye(
            grid,
            self.seen[at],
            self.whole[at],
            self.white[at],
            self.taken[at],
            self.depth[at],
            self.shade[at],
            self.shadow,
            self.iris,
        )

    def behind(self, lids: Lids, shift: Array, scale: float) -> Single:
        """[h, w, 3]: what stands behind lids, the iris moved by `shift` px.

        The upper lid's shadow goes with it. Where lids withdrew the continued surface shows; elsewhere the photo's own.
        """
        now = self.shadow.on(lids, self.grid, scale)
        now = np.where(now < self.shade, self.shade + LOWERED * (now - self.shade), now)
        risen = np.clip((lids.below(self.grid)[1] - self.depth) / (RISEN_CM * scale), 0, 1)
        risen = risen * np.clip(2 - self.depth / (SHADOW_CM * scale), 0, 1)  # not where the lower lid is
        now_taken = shadow_share(lids.skin(self.grid), scale)
        left = smooth_step(1.15 * np.maximum(self.taken - now_taken, self.taken * risen))
        bared = np.maximum(left, smooth_step((now - self.shade - 0.05) / 0.25))[..., None]
        lit = self.seen * np.minimum(now / self.shade, BRIGHTENED)[..., None]
        surface = lit + bared * (self.whole * now[..., None] - lit)
        length = float(np.hypot(*shift))
        if length < 0.02:
            return np.asarray(surface, dtype=np.float32)
        part = min(1.0, length / (0.06 * scale))
        under = np.where(bared > 0, surface, lit + smooth_step(self.taken)[..., None] * (self.whole - lit))
        moved = turned(under.astype(np.float32), self.white, self.grid, self.iris, shift)
        return np.asarray(surface + part * (moved - surface), dtype=np.float32)


def eye_of(photo: Single, lids: Lids, grid: Grid, iris: Iris, scale: float) -> Eye:
    """An eye from the photo's pixels [h, w, 3]."""
    skin = lids.skin(grid)
    taken = shadow_share(skin, scale)
    whole, white = eyeball(photo, taken, grid, iris)
    x, y = grid.centres()
    beside = (skin < 0.5) & (np.hypot(x - iris.x, y - iris.y) > 1.15 * iris.radius)
    depth = lids.below(grid)[1].astype(np.float32)
    shadow = shadow_of(photo.mean(-1) / np.maximum(white.mean(-1), 1.0), beside, lids, grid, scale)
    return Eye(grid, photo, whole, white, taken, depth, shadow.on(lids, grid, scale), shadow, iris)


def iris_shift(model: FaceModel, fit: FaceFit, after: Array, place: Place) -> Array:
    """[2] photo px by which an edit moves an iris: as the model's eyeball turns."""
    ball = model.part_vertices[EYEBALLS[place.name]]
    front = int(np.argmax(model.neutral[ball, 2])) + ball.start
    change = np.tensordot(after - fit.coefficients, model.expressions[:, front], 1)
    return np.asarray(fit.pose.project_change(change)[:2], dtype=np.float64)


def iris_of(fit: FaceFit, place: Place) -> Iris:
    """An eye's iris by its five landmarks."""
    points = fit.landmarks[IRISES.get(place.name, OTHER_IRIS)]
    centre = points.mean(0)
    radius = float(np.linalg.norm(points[1:] - points[1:].mean(0), axis=1).mean())
    return Iris(float(centre[0]), float(centre[1]), radius)


def lid_share(skin: Single, scale: float) -> Single:
    """[h, w]: how much of each pixel goes with the lids: skin, and the lashes' margin inside the opening."""
    return _margin(skin, LASHES_CM * scale)


def shadow_share(skin: Single, scale: float) -> Single:
    """[h, w]: as `lid_share`, with the shadow that lids throw on the eye."""
    return _margin(skin, SHADOW_CM * scale)


def _margin(skin: Single, reach: float) -> Single:
    """Skin's share, falling from 1 at the opening's edge to 0 at 1.5 `reach` px inside."""
    hole = skin < 0.5
    if not hole.any():
        return np.ones_like(skin)
    ramp = 1.5 - np.asarray(ndimage.distance_transform_edt(hole)) / max(reach, 1.0)
    return np.asarray(np.maximum(skin, smooth_step(ramp)), dtype=np.float32)


def eyeball(photo: Single, lids: Single, grid: Grid, iris: Iris) -> tuple[Single, Single]:
    """[h, w, 3] each: the eye's whole surface from what was seen of it, and its white alone.

    Convention: photo [h, w, 3], lids' share [h, w].
    """
    seen = lids < 0.05
    if seen.sum() < 12:
        return photo, photo
    x, y = grid.centres()
    radius = np.hypot(x - iris.x, y - iris.y) / iris.radius  # [h, w]
    bright = photo.mean(-1)
    beside = seen & (radius > 1.2)
    if beside.any():
        beside &= bright >= np.quantile(bright[beside], 0.35)  # neither lashes nor the red of the corners
    white = _spread(photo, beside, fallback=seen, reach=max(1.0, iris.radius / USUAL_RADIUS))
    coloured = _disc(photo, seen & (radius < 1.0), radius, grid, iris)
    whole = white + _disc_share(radius)[..., None] * (coloured - white)
    return whole.astype(np.float32), white


def turned(surface: Single, white: Single, grid: Grid, iris: Iris, shift: Array) -> Single:
    """[h, w, 3]: the eye's surface with its iris moved by `shift` px over the white that it leaves."""
    x, y = grid.centres()
    left = _disc_share(np.hypot(x - iris.x, y - iris.y) / iris.radius - 0.15)[..., None]
    taken = _disc_share(np.hypot(x - iris.x - shift[0], y - iris.y - shift[1]) / iris.radius)[..., None]
    rows, columns = y - grid.top - 0.5 - shift[1], x - grid.left - 0.5 - shift[0]
    at = np.broadcast_arrays(rows, columns)
    planes = [ndimage.map_coordinates(surface[..., c], at, order=1, mode="nearest") for c in range(3)]
    bare = surface + left * (white - surface)
    return np.asarray(bare + taken * (np.stack(planes, axis=-1) - bare), dtype=np.float32)


def _disc_share(radius: NDArray[np.floating]) -> Array:
    """1 on the iris, 0 on the white, by the distance from its centre in radii."""
    return smooth_step((1.08 - radius) / 0.16)


def _disc(photo: Single, seen: Flags, radius: Array, grid: Grid, iris: Iris) -> Single:
    """[h, w, 3]: the iris whole: each pixel as the seen one mirrored across the iris, held near its ring's colour."""
    rings = np.minimum((radius * RINGS).astype(int), RINGS - 1)
    bright = photo.mean(-1)
    colour = np.zeros((RINGS, 3))
    known = np.zeros(RINGS, dtype=bool)
    for k in range(RINGS):  # the darker half of a ring: no reflections, no white at its rim
        inside = seen & (rings == k)
        if inside.sum() >= 3:
            values = bright[inside]
            colour[k] = photo[inside][values <= np.median(values)].mean(0)
            known[k] = True
    if not known.any():
        return photo
    at = np.flatnonzero(known)
    colour = np.stack([np.interp(np.arange(RINGS), at, colour[at, c]) for c in range(3)], -1)
    ring = ndimage.gaussian_filter1d(colour, 1.0, axis=0, mode="nearest")[rings]
    _, y = grid.centres()
    rows = np.clip(np.round(2 * iris.y - y - grid.top - 0.5).astype(int), 0, grid.height - 1)
    mirrored = np.broadcast_to(rows, radius.shape)
    columns = np.broadcast_to(np.arange(grid.width)[None], radius.shape)
    usable = seen[mirrored, columns][..., None]
    detail = np.clip(photo[mirrored, columns], ring * 0.7, ring * 1.15)
    return np.asarray(np.where(usable, 0.7 * detail + 0.3 * ring, ring), dtype=np.float32)


def _spread(photo: Single, known: Flags, fallback: Flags, *, reach: float) -> Single:
    """[h, w, 3]: known colours carried smoothly over the rest, near ones first, `reach` times as far as usual."""
    known = known if known.any() else fallback
    weight = known.astype(np.float32)
    whole = np.dstack([weight, photo * weight[..., None]])
    result = np.zeros_like(photo)
    filled = np.zeros_like(weight)
    for sigma in reach * np.array([1.5, 3.0, 6.0, 12.0, 24.0, 48.0]):
        mass, colour = np.split(_spread_by(whole, float(sigma)), [1], axis=-1)
        mass = mass[..., 0]
        trust = np.clip(mass / 0.2, 0, 1) * (1 - filled)
        result += trust[..., None] * colour / np.maximum(mass, 1e-6)[..., None]
        filled += trust
    mean = photo[known].mean(0)
    return np.asarray(result + (1 - filled)[..., None] * mean, dtype=np.float32)


def _spread_by(planes: Single, sigma: float) -> Single:
    """[h, w, c]: planes [h, w, c] spread by `sigma` px; far ones in cells, as they are as smooth in these."""
    step = max(1, int(sigma / COARSE))
    cells = in_cells(planes, step)
    soft = [
        ndimage.gaussian_filter(cells[..., c], sigma / step, mode="constant", truncate=2.5)
        for c in range(cells.shape[-1])
    ]
    return finer(np.stack(soft, -1), step)[: planes.shape[0], : planes.shape[1]] if step > 1 else np.stack(soft, -1)
