"""What an expression does to the light on a face: the median over labelled pictures, on the face model's mesh."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from ..errors import ShapeError
from ..face_model import FaceFit, FaceModel, load_face_model
from ..face_model.contours import OUTER_LIPS, OVAL
from ..face_model.edges import neighbour_mean
from ..images import Photo
from ..wording import counted
from .axes import REFERENCE

Array = NDArray[np.float64]

LOWPASS_CM = 0.18
LEAST = 4.0  # of 255: darker pixels hold no ratio
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
LIDS_TOP = (159, 386)  # brows and hair begin above
LEAST_AGREEMENT = 0.4  # correlation of two halves of the examples from which a shading is more than noise
GAIN, MOST = 0.6, 0.3  # share of the median log ratio that is kept, and how much at most
BESIDE_CM, BORDER_CM = 0.3, 1.6  # over which it fades in from lips and lids, and from the face's outline
SMOOTH = 6  # averagings over neighbouring vertices


def fit_shadings(
    seen: NDArray[np.floating],
    labels: Sequence[str],
    names: Sequence[str],
    *,
    people: Sequence[Hashable],
    floor: int,
) -> dict[str, Array]:
    """The shading [f] of those of the named expressions that enough pictures show beside the same person's neutral face.

    Convention: seen [n, f] is `brightness` of each picture, a row of NaN where none was measured; labels and people one
    per row. An expression has no shading where two halves of its examples do not agree, as in other light each time.
    Raises: ShapeError for rows that differ in number, or brightness on another face model.
    """
    model = load_face_model()
    if seen.shape != (len(labels), model.face_vertices):
        raise ShapeError(
            f"brightness came as {seen.shape} for {counted(len(labels), 'label')}; give [{len(labels)}, {model.face_vertices}], "
            "as label_latents does"
        )
    given, who = np.asarray(labels, dtype=str), np.array([hash(person) for person in people])
    found = np.isfinite(seen).all(1)
    neutral = {person: seen[found & (given == REFERENCE) & (who == person)] for person in set(who)}
    skin, shadings = open_skin(model), {}
    for name in names:
        rows = [row for row in np.flatnonzero(found & (given == name)) if len(neutral[who[row]])]
        if len(rows) < floor:
            continue
        ratios = [seen[row].astype(np.float64) - neutral[who[row]].mean(0, dtype=np.float64) for row in rows]
        if half_agreement(ratios, skin) >= LEAST_AGREEMENT:
            shadings[name] = shading_of(model, ratios)
    return shadings


def brightness(photo: Photo, model: FaceModel, fit: FaceFit) -> Array:
    """[f]: log of the low-passed brightness under each vertex of the face."""
    gray = photo.pixels.astype(np.float32).mean(-1)
    gray = ndimage.gaussian_filter(gray, LOWPASS_CM * fit.pose.scale)
    places = fit.vertices(model)[: model.face_vertices, 1::-1].T - 0.5  # rows, columns of pixel centres
    seen = ndimage.map_coordinates(gray, places, order=1, mode="nearest")
    return np.asarray(np.log(np.maximum(seen, LEAST)), dtype=np.float64)


def shading_of(model: FaceModel, ratios: Sequence[Array], *, symmetric: bool = False) -> Array:
    """[f]: the median of log ratios [f] of brightness, expressive over neutral, fit to be put on any face.

    Each example's overall change of light is taken off; lips, lids and the face's border stay as they are. Where it is
    `symmetric`, left and right are averaged.
    """
    skin = open_skin(model)
    own = [ratio - np.median(ratio[skin > 0.9]) for ratio in ratios]
    middle = np.median(np.stack(own), axis=0)
    if symmetric:
        middle = (middle + middle[mirrored_vertices(model)]) / 2
    middle = _smoothed(model, middle, skin)
    middle -= np.median(middle[skin > 0.9])
    return np.asarray(MOST * np.tanh(GAIN * middle * skin / MOST))


def open_skin(model: FaceModel) -> Array:
    """[f]: 1 on bare skin, falling to 0 on lips and lids, at the face's border, and from the brows up."""
    places = model.neutral[: model.face_vertices].astype(np.float64)
    at = model.landmark_vertex
    result = np.clip(_inside(places, model.neutral[at[list(OVAL)]]) / BORDER_CM, 0.0, 1.0)
    for contour in (OUTER_LIPS, *EYES):
        beside = -_inside(places, model.neutral[at[list(contour)]])
        result *= np.clip((beside - 0.05) / BESIDE_CM, 0.0, 1.0)
    lids = float(model.neutral[at[list(LIDS_TOP)], 1].mean())
    return np.asarray(result * np.clip((lids + 0.9 - places[:, 1]) / 0.8, 0.0, 1.0))


def _inside(places: Array, contour: NDArray[np.floating]) -> Array:
    """[f] in cm: how far inside a contour [n, 3] places [f, 3] lie, seen from the front; negative outside."""
    line = contour[:, :2].astype(np.float64)
    ahead = np.roll(line, -1, axis=0)
    points = places[:, None, :2]
    along = ahead - line
    share = ((points - line) * along).sum(-1) / (along**2).sum(-1)
    nearest = line + np.clip(share, 0.0, 1.0)[..., None] * along
    distance = np.linalg.norm(points - nearest, axis=-1).min(1)
    x, y = points[..., 0], points[..., 1]
    spans = (line[:, 1] > y) != (ahead[:, 1] > y)
    rise = np.where(along[:, 1] == 0, 1.0, along[:, 1])
    crossing = x < line[:, 0] + (y - line[:, 1]) * along[:, 0] / rise
    within = (spans & crossing).sum(1) % 2 == 1
    return np.asarray(np.where(within, distance, -distance))


def mirrored_vertices(model: FaceModel) -> NDArray[np.int64]:
    """[f]: for each vertex of the face the one nearest to its mirror image."""
    places = model.neutral[: model.face_vertices].astype(np.float64)
    return np.asarray(cKDTree(places).query(places * (-1.0, 1.0, 1.0))[1], dtype=np.int64)


def _smoothed(model: FaceModel, values: Array, weight: Array) -> Array:
    """Values averaged over neighbours, those of little weight filled in from the others."""
    mean = _averaging(model)
    top, bottom = values * weight, weight.copy()
    for _ in range(SMOOTH):
        top, bottom = 0.5 * top + 0.5 * (mean @ top), 0.5 * bottom + 0.5 * (mean @ bottom)
    return np.asarray(top / np.maximum(bottom, 1e-6))


@cache
def _averaging(model: FaceModel) -> sparse.csr_matrix:
    """[f, f]: the mean over a vertex's neighbours."""
    count = model.face_vertices
    return neighbour_mean(model.triangles[(model.triangles < count).all(1)], count)


def half_agreement(ratios: Sequence[Array], skin: Array) -> float:
    """Correlation on bare skin between the medians of two random halves of the examples."""
    order = np.random.default_rng(0).permutation(len(ratios))
    halves = [np.median([ratios[i] for i in part], axis=0)[skin > 0.9] for part in np.array_split(order, 2)]
    return float(np.corrcoef(halves[0], halves[1])[0, 1])
