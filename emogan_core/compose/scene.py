"""What every edit of one face in one photo needs and none changes."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from ..images import Photo
from .eye_skin import EyeSkin, eye_skin_of
from .eyes import Eye, eye_of, iris_of
from .lids import lids_of
from .motion import Sources, seen_sources
from .mouth import Tones, tones_of
from .openings import EYE_LEFT, EYE_RIGHT, PLACES, Fitted, Place, aligned, fitted
from .shading import Light, Relief, light_of, relief_of
from .sharpness import blur_of

Array = NDArray[np.float64]

LIP_SHADE = 0.45  # log brightness that a lip's inner side lacks
CHEEKS = (50, 280, 205, 425, 117, 346)
LIPS_MIDDLE = (0, 17, 37, 267, 84, 314)
BALL_CM = (0.3, 0.9, 0.9)  # around an eye's landmarks, aside, above and below: how far lids may open
LIDS_CM = (0.9, 2.8, 1.4)  # the same: how far the skin goes with them
FINE = 2  # cells a pixel and side from which edges are antialiased


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A face before an edit.

    Convention: base [v, 3] is the person's neutral shape in cm; raw and vertices [v, 3] the projected mesh before and
    after its openings were laid on the photo's; sources where in the photo the vertices take their pixels;
    lips [v] the log ratio of brightness of what lips hid; blur is the photo's own, in px.
    """

    base: Array
    raw: Array
    vertices: Array
    sources: Sources
    lips: Array
    openings: tuple[Fitted, ...]
    eyes: dict[str, tuple[Eye, EyeSkin]]
    relief: Relief
    light: Light
    tones: Tones
    blur: float


def scene_of(photo: Photo, model: FaceModel, fit: FaceFit) -> Scene:
    """A face's scene; it serves any number of edits of the same face in the same photo."""
    base = model.neutral + np.tensordot(fit.identity, model.identities, 1)
    raw = placed(model, fit, base, fit.coefficients)
    neutral = placed(model, fit, base, np.zeros_like(fit.coefficients))
    openings = tuple(fitted(model, fit, raw, neutral, place, photo.pixels) for place in PLACES)
    vertices = aligned(model, fit, raw, raw, openings)[0]
    sources = seen_sources(model, vertices, fit.pose.scale, openings)
    eyes = {one.place.name: _eye(photo, fit, one) for one in openings if one.place in (EYE_RIGHT, EYE_LEFT)}
    return Scene(
        base=base,
        raw=raw,
        vertices=vertices,
        sources=sources,
        lips=-LIP_SHADE * np.clip(sources.deep / 0.35, 0, 1),
        openings=openings,
        eyes={name: eye for name, eye in eyes.items() if eye is not None},
        relief=relief_of(model, fit.pose.project(_expressed(model, base, fit.coefficients)), fit.pose.scale),
        light=light_of(photo.pixels, model, vertices),
        tones=_tones(photo, fit),
        blur=blur_of(photo.pixels, fit),
    )


class _Same:
    """A photo's pixels as a key: equal only to itself, without keeping the pixels alive."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = weakref.ref(pixels)
        self._hash = id(pixels)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.pixels() is not None and self.pixels() is other.pixels()


def remembered_scene(photo: Photo, model: FaceModel, fit: FaceFit) -> Scene:
    """`scene_of`, kept for the faces edited last: sliders move one face again and again."""
    return _remembered(_Same(photo.pixels), model, fit)


@lru_cache(maxsize=4)
def _remembered(same: _Same, model: FaceModel, fit: FaceFit) -> Scene:
    pixels = same.pixels()
    assert pixels is not None
    return scene_of(Photo(pixels), model, fit)


def placed(model: FaceModel, fit: FaceFit, base: Array, coefficients: Array) -> Array:
    """[v, 3]: a person's mesh with an expression in the photo, as `FaceFit.vertices`, from a shape already known."""
    vertices = fit.pose.project(_expressed(model, base, coefficients))
    vertices[:, :2] += fit.residual
    return vertices


def relief_after(model: FaceModel, fit: FaceFit, scene: Scene, coefficients: Array) -> Relief:
    """The relief of the face with other coefficients."""
    return relief_of(model, fit.pose.project(_expressed(model, scene.base, coefficients)), fit.pose.scale)


def _expressed(model: FaceModel, base: Array, coefficients: Array) -> Array:
    shape = np.array(base, dtype=np.float64)
    for index in np.flatnonzero(coefficients):
        shape += float(coefficients[index]) * model.expressions[index]
    return shape


def _eye(photo: Photo, fit: FaceFit, opening: Fitted) -> tuple[Eye, EyeSkin] | None:
    """An eye before an edit and the skin around it, or None where it lies outside of the photo."""
    place = opening.place
    ball, around = (_around_eye(photo, fit, place, margins) for margins in (BALL_CM, LIDS_CM))
    if ball is None or around is None:
        return None
    lids = lids_of(opening.frame, opening.photo)
    eye = eye_of(_part(photo, ball), lids, ball, iris_of(fit, place), fit.pose.scale)
    return eye, eye_skin_of(_part(photo, around), around, lids, fit, place)


def _around_eye(photo: Photo, fit: FaceFit, place: Place, margins: tuple[float, float, float]) -> Grid | None:
    """The photo's pixels around an eye: margins aside, above and below in cm; None where too few lie in the photo."""
    points = fit.landmarks[list(place.upper + place.lower)]
    aside, above, below = (margin * fit.pose.scale for margin in margins)
    height, width = photo.pixels.shape[:2]
    left, top = np.maximum(np.floor(points.min(0) - np.array([aside, above])), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(0) + np.array([aside, below])), (width, height)).astype(int)
    if right - left < 8 or bottom - top < 8:
        return None
    return Grid(float(left), float(top), int(right - left), int(bottom - top))


def _part(photo: Photo, grid: Grid) -> NDArray[np.float32]:
    top, left = int(grid.top), int(grid.left)
    return photo.pixels[top : top + grid.height, left : left + grid.width].astype(np.float32)


def _tones(photo: Photo, fit: FaceFit) -> Tones:
    """Colours of the mouth's inside from those of cheeks, lips and eye whites."""
    cheek, lips = _around(photo, fit, CHEEKS, 0.25), _around(photo, fit, LIPS_MIDDLE, 0.06)
    return tones_of(cheek, lips, _eye_white(photo, fit, cheek))


def _around(photo: Photo, fit: FaceFit, points: tuple[int, ...], reach_cm: float) -> Array:
    """[3]: the median colour around landmarks; mid gray where none lies in the photo."""
    size = max(1, int(reach_cm * fit.pose.scale))
    found = []
    for x, y in fit.landmarks[list(points)].astype(int):
        part = photo.pixels[max(0, y - size) : max(0, y + size + 1), max(0, x - size) : max(0, x + size + 1)]
        found.append(part.reshape(-1, 3))
    colours = np.concatenate(found)
    return np.asarray(np.median(colours, axis=0) if len(colours) else np.full(3, 128.0), dtype=np.float64)


def _eye_white(photo: Photo, fit: FaceFit, cheek: Array) -> Array:
    """[3]: the bright part of what lies between the lids beside the irises; the cheek's colour where eyes are shut."""
    found = []
    for place in (EYE_RIGHT, EYE_LEFT):
        iris = iris_of(fit, place)
        outline = fit.landmarks[list(place.upper + place.lower[::-1])]
        rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, photo.pixels.shape[:2])  # type: ignore[no-untyped-call]
        beside = np.hypot(columns + 0.5 - iris.x, rows + 0.5 - iris.y) > 1.15 * iris.radius
        found.append(photo.pixels[rows[beside], columns[beside]])
    colours = np.concatenate(found).astype(np.float64)
    if len(colours) < 20:
        return cheek
    bright = colours.mean(1)
    return np.asarray(np.median(colours[bright >= np.quantile(bright, 0.85)], axis=0))
