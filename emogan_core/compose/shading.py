"""How an expression's folds and bulges change the light on the skin."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from ..face_model.contours import OUTER_LIPS
from ..face_model.edges import neighbour_mean
from ..face_model.mesh import vertex_normals
from ..face_model.model import FaceModel
from .curves import smooth_step
from .lids import BROWS
from .openings import EYE_LEFT, EYE_RIGHT

Array = NDArray[np.float64]
Single = NDArray[np.float32]

GAMMA = 2.2
FOLDED = 2.5  # how much further from 1 the tint is in folds than on open skin
USUAL_TINT = np.array([0.92, 1.01, 1.07])  # of fair skin
BURNT, ROOM = 253.0, 30.0  # values at which a channel says nothing, and below which it says all
SOCKET = 0.85  # of its brightening skin between lid and brow loses: there the mesh turns to the light, and skin unfolds
SOCKET_CM = 0.5  # over which that fades beside the eye and above the brow
MOST, LIGHTEST = 0.24, 0.1  # of log brightness: no fold is darker than the first, and no bulge lighter than the second


@dataclass(frozen=True, slots=True)
class ShadingConfig:
    """How strong drawn shading is.

    Convention: `light` weighs the change of light with the skin's direction, `folds` (per 1/cm of curvature) the
    darkening where skin folds inwards; `smooth` counts averagings over neighbouring vertices.
    """

    light: float = 1.0
    folds: float = 0.14
    smooth: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Brightness (linear) of matt skin by its normal: constant + slope . n; and how its colour follows its brightness.

    Convention: tint [3] is by how much each channel's log brightness changes when their mean changes by 1.
    """

    constant: float
    slope: Array
    tint: Array = field(default_factory=lambda: np.ones(3))

    def ratios(self, change: Single, pixels: Single) -> Single:
        """[h, w, 3]: factors for a log ratio of brightness [h, w] on pixels [h, w, 3]; 1 where these are burnt out.

        Where a channel is full nobody knows how bright the skin is, and a fold would be gray.
        """
        fullest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
        if fullest.size and fullest.max() > BURNT - ROOM:
            room = np.clip(
                (np.float32(BURNT) - ndimage.gaussian_filter(fullest, 2.0, truncate=2.0)) / np.float32(ROOM), 0, 1
            )
            change = change * room
        result = change[..., None] * self.tint.astype(np.float32)
        return np.asarray(np.exp(result, out=result), dtype=np.float32)

    def on(self, normals: Array) -> Array:
        """[n]: brightness, never less than a fifth of the constant."""
        return np.maximum(self.constant + normals @ self.slope, 0.2 * self.constant)


def light_of(pixels: NDArray[np.uint8], model: FaceModel, before: Array) -> Light:
    """The photo's light: least squares of the skin's brightness on the mesh's normals, three rounds without outliers.

    Source: spherical harmonics up to the first order (Ramamoorthi & Hanrahan 2001).
    """
    at = np.flatnonzero(_open_skin(model) > 0.9)
    normals = vertex_normals(before, _skin(model))[at]
    height, width = pixels.shape[:2]
    x, y = np.floor(before[at, 0]).astype(int), np.floor(before[at, 1]).astype(int)
    kept = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (normals[:, 2] > 0.25)
    if kept.sum() < 50:
        return Light(1.0, np.zeros(3))
    colours = pixels[y[kept], x[kept]].astype(np.float64)
    values = np.clip(colours.mean(1) / 255, 0, None) ** GAMMA
    design = np.column_stack([np.ones(int(kept.sum())), normals[kept]])
    weight = np.ones(len(values))
    ridge = np.diag([1e-6, 0.02, 0.02, 0.02]) * len(values)
    solution = np.zeros(4)
    for _ in range(3):
        solution = np.linalg.solve(design.T @ (weight[:, None] * design) + ridge, design.T @ (weight * values))
        misfit = np.abs(values - design @ solution)
        weight = 1 / (1 + (misfit / max(float(np.median(misfit)) * 1.5, 1e-6)) ** 2)
    facing = max(float(solution[0] + solution[3]), 1e-4)
    slope = solution[1:] / facing
    limit = 0.6 / max(float(np.linalg.norm(slope)), 0.6)
    slope = slope * limit
    return Light(1.0 - float(slope[2]), slope, _tint(colours))


def _tint(colours: Array) -> Array:
    """[3]: how skin [n, 3] changes its colour with its brightness: least squares of log colours on their mean, without
    the darkest and brightest, half way to what is usual; gray and toned pictures, whose hue never changes, keep it.

    In folds light goes from skin to skin, so it is further from 1 there.
    """
    logs = np.log(np.maximum(colours, 0) + 1)
    mean = logs.mean(1)
    low, high = np.quantile(mean, (0.05, 0.9))
    logs = logs[(mean >= low) & (mean <= high)]
    logs = logs - logs.mean(0)
    mean = logs.mean(1, keepdims=True)
    square = float((mean**2).sum())
    if square < 1e-3:
        return np.ones(3)
    slope = (mean * logs).sum(0) / square
    coloured = np.clip(float((logs[:, 0] - logs[:, 2]).std()) / 0.04 - 0.5, 0, 1)
    usual = 1 + coloured * (USUAL_TINT - 1)
    tint = np.clip(1 + FOLDED * ((slope + usual) / 2 - 1), 0.65, 1.35)
    return np.asarray(tint / tint.mean())


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """The skin's form: normals [n, 3] of its vertices and how hollow it is there [n], 1/cm."""

    normals: Array
    hollow: Array


def relief_of(model: FaceModel, projected: Array, scale: float) -> Relief:
    """The relief of a projected mesh [v, 3] of `scale` px per cm (without a fit's residual, which has no depth)."""
    mean = _averaging(model)
    shape = projected[: mean.shape[0]]
    normals = vertex_normals(projected, _skin(model))[: mean.shape[0]]
    hollow = ((mean @ shape - shape) * normals).sum(1) / scale * _per_length(model)
    return Relief(normals, hollow)


def folds(
    model: FaceModel, before: Relief, after: Relief, light: Light, *, config: ShadingConfig | None = None
) -> Array:
    """[v]: log ratio of the photo's brightness after an expression over before, on the mesh; 0 off the bare skin."""
    settings = config or ShadingConfig()
    mean = _averaging(model)
    bare = _open_skin(model)[: mean.shape[0]]
    change = settings.light * np.log(light.on(after.normals) / light.on(before.normals)) / GAMMA
    change = (change - settings.folds * (after.hollow - before.hollow)) * bare
    change -= SOCKET * _sockets(model)[: len(change)] * np.maximum(change, 0)
    for _ in range(settings.smooth):
        change = 0.5 * change + 0.5 * (mean @ change)
    change = change * bare * np.clip((after.normals[:, 2] - 0.1) / 0.4, 0, 1)
    result = np.zeros(len(model.neutral))
    most = np.where(change > 0, LIGHTEST, MOST)
    result[: len(change)] = most * np.tanh(change / most)
    return result


@cache
def _skin(model: FaceModel) -> NDArray[np.int32]:
    return model.triangles[model.triangle_part <= 1]


@cache
def _averaging(model: FaceModel) -> sparse.csr_matrix:
    """[n, n]: the mean over a skin vertex's neighbours."""
    skin = _skin(model)
    return neighbour_mean(skin, int(skin.max()) + 1)


@cache
def _per_length(model: FaceModel) -> Array:
    """[n]: turns the distance to the neighbours' mean (cm) into curvature (1/cm): 4 over the mean squared edge."""
    neutral = model.neutral.astype(np.float64)
    mean = _averaging(model)
    count = mean.shape[0]
    rows, columns = mean.nonzero()
    square = ((neutral[rows] - neutral[columns]) ** 2).sum(1)
    total = np.bincount(rows, square, minlength=count) / np.maximum(np.bincount(rows, minlength=count), 1)
    return np.asarray(4 / np.maximum(total, 0.01))


@cache
def _open_skin(model: FaceModel) -> Array:
    """[v]: 1 on bare skin, falling to 0 on lips, lids and beyond the face's front."""
    neutral = model.neutral.astype(np.float64)
    result = np.zeros(len(neutral))
    face = model.part_vertices["face"]
    result[face] = 1.0
    at = model.landmark_vertex
    for points, margin in (
        (OUTER_LIPS, 0.1),
        (EYE_RIGHT.upper + EYE_RIGHT.lower, 0.2),
        (EYE_LEFT.upper + EYE_LEFT.lower, 0.2),
    ):
        corners = neutral[at[list(points)]]
        centre = corners.mean(0)
        angle = np.arctan2(corners[:, 1] - centre[1], corners[:, 0] - centre[0])
        order = np.argsort(angle)
        radius = np.hypot(*(corners - centre)[order, :2].T)
        around = np.arctan2(neutral[:, 1] - centre[1], neutral[:, 0] - centre[0])
        border = np.interp(around, angle[order], radius, period=2 * np.pi)
        beyond = np.hypot(neutral[:, 0] - centre[0], neutral[:, 1] - centre[1]) - border
        result *= np.clip((beyond - 0.02) / (margin + 0.25), 0, 1)
    high = neutral[at[[10]]][0, 1]
    result *= np.clip((high + 1.0 - neutral[:, 1]) / 2.0, 0, 1)
    return result


@cache
def _sockets(model: FaceModel) -> Array:
    """[v]: 1 between an eye's upper lid and its brow, falling to 0 around."""
    neutral = model.neutral.astype(np.float64)
    result = np.zeros(len(neutral))
    for place, brow in ((EYE_RIGHT, BROWS[EYE_RIGHT.name]), (EYE_LEFT, BROWS[EYE_LEFT.name])):
        lid, high = (neutral[model.landmark_vertex[list(points)]] for points in (place.upper, brow))
        x, y = neutral[:, 0], neutral[:, 1]
        top = np.interp(x, high[:, 0], high[:, 1])
        beside = np.maximum(np.maximum(lid[0, 0] - x, x - lid[-1, 0]), 0)
        beyond = np.hypot(beside, np.maximum(np.maximum(y - top, lid[:, 1].min() - y), 0))
        result = np.maximum(result, smooth_step(1 - beyond / SOCKET_CM))
    result[model.face_vertices :] = 0
    return result
